// The pages of rules: headings, paragraphs, lists, code and links. Whatever else Markdown has is shown as it is
// written.

function markdown(text) {
  const page = element("div", { class: "markdown" });
  let block = [];
  const isList = line => /^[*-] /.test(line);
  const end = () => {
    const [first] = block,
      lines = block;
    block = [];
    if (!lines.length) return;
    if (/^ {4}/.test(first)) page.append(element("pre", {}, lines.map(line => line.replace(/^ {4}/, "")).join("\n")));
    else if (isList(first)) page.append(list(lines));
    else page.append(element("p", {}, inline(lines.join(" "))));
  };
  const lines = text.split("\n");
  lines.forEach((line, i) => {
    const heading = /^(#+) (.*)/.exec(line);
    if (heading) {
      end();
      // The page is within a section of the details, below a heading of the third level.
      page.append(element(heading[1].length === 1 ? "h4" : "h5", {}, inline(heading[2])));
    } else if (line.trim() === "") {
      const next = lines.slice(i + 1).find(other => other.trim() !== "") || "";
      // An empty line does not end code that goes on behind it.
      if (block.length && /^ {4}/.test(block[0]) && /^ {4}/.test(next)) block.push("");
      else end();
    } else {
      if (isList(line) && block.length && !isList(block[0])) end();
      block.push(line);
    }
  });
  end();
  return page;
}

function list(lines) {
  const items = [];
  for (const line of lines) {
    if (/^[*-] /.test(line)) items.push(line.slice(2));
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  return element("ul", {}, ...items.map(item => element("li", {}, inline(item))));
}

// Links lead to other files, which the page does not have: their text stays.
function inline(text) {
  return prose(text.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1"));
}
