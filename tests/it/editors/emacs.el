;; Opens a file, sees a finding there and in files that are not open, applies the fix, and sees that
;; it is gone.  Whatever goes wrong ends Emacs with a message and status 255.

(defun wait-for (what is-so)
  (let ((end (+ (float-time) 60)))
    (while (not (funcall is-so))
      (when (> (float-time) end)
        (error "not in 60 s: %s\n%S" what (mapcar #'flymake-diagnostic-text (flymake-diagnostics))))
      (accept-process-output nil 0.05)
      ;; Nothing is displayed, so flymake does not ask by itself.
      (flymake-start))))

(defun go-to (text)
  (goto-char (point-min))
  (search-forward text)
  (beginning-of-line)
  (search-forward "bdrv"))

;; The findings of the rule `coroutine-call' in the line of point.
(defun findings ()
  (seq-filter (lambda (found) (string-match-p "coroutine-call" (flymake-diagnostic-text found)))
              (flymake-diagnostics (line-beginning-position) (line-end-position))))

(find-file "mini-img.c")
;; `eglot-ensure' waits for the first command.
(run-hooks 'post-command-hook)
(wait-for "a server" #'eglot-managed-p)
(go-to "return bdrv_co_flush(bs); /*")
(wait-for "a finding" #'findings)
(princ (format "finding: %s\n" (flymake-diagnostic-text (car (findings)))))

(wait-for "findings in a file that is not open"
          (lambda ()
            (seq-some (lambda (found)
                        (let ((file (flymake-diagnostic-buffer found)))
                          (and (stringp file) (string-suffix-p "block/commit-job.c" file))))
                      (flymake--project-diagnostics))))

(cl-letf (((symbol-function 'completing-read)
           (lambda (_prompt titles &rest _)
             (or (seq-find (lambda (title) (string-match-p "call `bdrv_flush`" title))
                           (mapcar (lambda (title) (if (consp title) (car title) title)) titles))
                 (error "no such action: %S" titles)))))
  ;; As if a key was pressed; otherwise, there is a menu.
  (let ((last-nonmenu-event ?a))
    (eglot-code-actions (point) nil nil t)))
(wait-for "the fix" (lambda () (string-match-p "return bdrv_flush(bs);" (thing-at-point 'line t))))
;; Eglot sends changes when Emacs is idle, which it never is in batch mode.
(eglot--signal-textDocument/didChange)
(wait-for "the finding is gone" (lambda () (not (findings))))
(princ (format "fixed: %s\n" (string-trim (thing-at-point 'line t))))

(beginning-of-line)
(search-forward "bdrv_flush")
(replace-match "bdrv_co_flush")
(eglot--signal-textDocument/didChange)
(wait-for "the finding is back" #'findings)
(set-buffer-modified-p nil)
(kill-emacs 0)
