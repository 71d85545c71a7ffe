-- Opens a file, sees a finding there and in files that are not open, applies the fix, and sees that it is gone.
-- Whatever goes wrong ends Neovim with a message and status 1.

local function fail(message)
  io.stdout:write('failed: ' .. message .. '\n')
  vim.cmd('cquit 1')
end

local function wait(what, is_so)
  if not vim.wait(60000, is_so, 50) then
    fail('not in 60 s: ' .. what .. '\n' .. vim.inspect(vim.diagnostic.get()))
  end
end

-- The findings of a rule in a line of the open file.
local function findings(line, rule)
  return vim.tbl_filter(function(found)
    return found.lnum == line - 1 and found.source == 'cowrap' and found.code == rule
  end, vim.diagnostic.get(0))
end

-- The numbers of the lines of the open file that contain a text.
local function line_of(text)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, true)) do
    if line:find(text, 1, true) then return number end
  end
  fail('no line has: ' .. text)
end

local function run()
  local line = line_of('return bdrv_co_flush(bs); /*')
  wait('a finding', function() return #findings(line, 'coroutine-call') == 1 end)
  local found = findings(line, 'coroutine-call')[1]
  io.stdout:write('finding: ' .. found.message .. '\n')

  local listed = {}
  wait('findings in a file that is not open', function()
    vim.diagnostic.setqflist({ open = false })
    for _, item in ipairs(vim.fn.getqflist()) do
      listed[vim.fn.fnamemodify(vim.fn.bufname(item.bufnr), ':.')] = true
    end
    return listed['block/commit-job.c']
  end)

  vim.api.nvim_win_set_cursor(0, { line, vim.fn.getline(line):find('bdrv_co_flush', 1, true) - 1 })
  local offered
  vim.ui.select = function(items, options, choose)
    offered = {}
    for index, item in ipairs(items) do
      local title = options.format_item(item)
      table.insert(offered, title)
      if title:find('call `bdrv_flush`', 1, true) then return choose(item, index) end
    end
    fail('no such action: ' .. vim.inspect(offered))
  end
  vim.lsp.buf.code_action()
  wait('the fix', function() return vim.fn.getline(line):find('return bdrv_flush(bs);', 1, true) end)
  wait('the finding is gone', function() return #findings(line, 'coroutine-call') == 0 end)
  io.stdout:write('fixed: ' .. vim.trim(vim.fn.getline(line)) .. '\n')

  vim.cmd('undo')
  wait('the finding is back', function() return #findings(line, 'coroutine-call') == 1 end)
  vim.cmd('qall!')
end

local is_well, message = pcall(run)
if not is_well then fail(tostring(message)) end
