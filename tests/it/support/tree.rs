//! A tree that nobody wrote, as large as is wanted: subsystems of headers that include one another, units that include what they
//! need in any order, and one header that all of them include first. The same in every run.

use std::fmt::Write as _;
use std::path::Path;

/// Units of one subsystem.
const SUBSYSTEM: usize = 40;

/// Headers of one subsystem.
const HEADERS: usize = 8;

/// Headers of no subsystem.
const COMMON: usize = 24;

/// Declarations of functions in one header.
const FUNCTIONS: usize = 24;

/// Numbers that look random, the same in every run (Knuth's linear congruential generator for MMIX).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    /// Some of so many, in any order, each once.
    fn some(&mut self, count: usize, of: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..of).collect();
        for at in 0..count.min(of) {
            let other = at + self.below(of - at);
            all.swap(at, other);
        }
        all.truncate(count);
        all
    }
}

/// Writes a tree of so many units below a directory, with a `compile_commands.json`; gives the paths of the units.
pub fn write(root: &Path, units: usize) -> Vec<String> {
    let mut numbers = Numbers(1);
    let subsystems = units.div_ceil(SUBSYSTEM).max(2);
    let put = |path: &str, text: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("it is below the root")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    };
    put("include/qemu/osdep.h", OSDEP);
    for number in 0..COMMON {
        let before = numbers.below(4);
        let includes: Vec<String> = numbers.some(before, number).into_iter().map(common).collect();
        put(&format!("include/{}", common(number)), &header(&format!("common{number}"), &includes, &mut numbers));
    }
    for subsystem in 0..subsystems {
        for number in 0..HEADERS {
            let mut includes: Vec<String> = numbers.some(3, COMMON).into_iter().map(common).collect();
            // The first of a subsystem is what its others, and those of other subsystems, include.
            if number > 0 {
                includes.push(of_subsystem(subsystem, 0));
                includes.push(of_subsystem(numbers.below(subsystem + 1), 0));
                includes.push(of_subsystem(subsystem, numbers.below(number)));
            }
            let name = format!("s{subsystem}_h{number}");
            put(&format!("include/{}", of_subsystem(subsystem, number)), &header(&name, &includes, &mut numbers));
        }
    }
    let (mut paths, mut entries) = (Vec::new(), Vec::new());
    for number in 0..units {
        let subsystem = number / SUBSYSTEM % subsystems;
        let path = format!("s{subsystem}/unit{number}.c");
        put(&path, &unit(number, subsystem, subsystems, &mut numbers));
        // Some are compiled in another way.
        let more = if numbers.below(10) == 0 { "-DNEED_CPU_H " } else { "" };
        let command = format!("cc -std=gnu11 -O2 {more}-Iinclude -I. -c -o unit{number}.o {path}");
        entries.push(serde_json::json!({ "directory": root, "file": path, "command": command }));
        paths.push(path);
    }
    put("compile_commands.json", &serde_json::to_string(&entries).expect("plain data"));
    paths
}

/// The path of a header of no subsystem.
fn common(number: usize) -> String {
    format!("common/c{number}.h")
}

/// The path of a subsystem's header.
fn of_subsystem(subsystem: usize, number: usize) -> String {
    format!("s{subsystem}/h{number}.h")
}

/// A header: includes, a record with callbacks, prototypes with and without marks, functions in line.
fn header(name: &str, includes: &[String], numbers: &mut Numbers) -> String {
    let guard = format!("{}_H", name.to_uppercase());
    let mut text = format!("#ifndef {guard}\n#define {guard}\n\n");
    for include in includes {
        let _ = writeln!(text, "#include \"{include}\"");
    }
    let upper = name.to_uppercase();
    let _ = write!(
        text,
        "\n#define {upper}_LIMIT {}\n#define {upper}_CLAMP(x) MIN_CONST((x), {upper}_LIMIT)\n\n\
         typedef struct {name}_state {{\n    int id, flags;\n    struct {name}_state *next;\n}} {name}_state;\n\n\
         typedef struct {name}_ops {{\n    int (*open)({name}_state *s, int flags);\n    \
         int coroutine_fn (*co_read)({name}_state *s, void *buf, size_t bytes);\n    void (*close)({name}_state *s);\n}} {name}_ops;\n\n",
        numbers.below(1000),
    );
    for function in 0..FUNCTIONS {
        let mark = match function % 6 {
            0 => "coroutine_fn ",
            1 => "no_coroutine_fn ",
            2 => "coroutine_mixed_fn ",
            _ => "",
        };
        let _ = writeln!(text, "int {mark}{name}_f{function}({name}_state *s, int value);");
    }
    let _ = write!(
        text,
        "\nstatic inline int {name}_id(const {name}_state *s)\n{{\n    return {upper}_CLAMP(s->id);\n}}\n\n\
         static inline int coroutine_fn {name}_read({name}_state *s, const {name}_ops *ops, void *buf, size_t bytes)\n{{\n    \
         int ret = {name}_f0(s, (int)bytes);\n    return ret < 0 ? ret : ops->co_read(s, buf, bytes);\n}}\n\n\
         static inline void {name}_close_all({name}_state *s, const {name}_ops *ops)\n{{\n    for (; s; s = s->next) {{\n        \
         if (qemu_in_coroutine()) {{\n            {name}_f2(s, 0);\n        }} else {{\n            {name}_f1(s, 0);\n        }}\n        \
         ops->close(s);\n    }}\n}}\n\n#endif\n"
    );
    text
}

/// A unit: what it includes, callbacks, and a table of them.
fn unit(number: usize, subsystem: usize, subsystems: usize, numbers: &mut Numbers) -> String {
    let mut text = "#include \"qemu/osdep.h\"\n".to_owned();
    let count = 2 + numbers.below(HEADERS - 2);
    let mut includes: Vec<String> =
        numbers.some(count, HEADERS).into_iter().map(|header| of_subsystem(subsystem, header)).collect();
    let count = numbers.below(6);
    includes.extend(numbers.some(count, COMMON).into_iter().map(common));
    let other = numbers.below(subsystems);
    includes.extend((0..numbers.below(2)).map(|header| of_subsystem(other, header)));
    for at in numbers.some(includes.len(), includes.len()) {
        let _ = writeln!(text, "#include \"{}\"", includes[at]);
    }
    // All headers of a subsystem include its first.
    let name = format!("s{subsystem}_h0");
    let _ = write!(
        text,
        "\nstatic int unit{number}_open({name}_state *s, int flags)\n{{\n    return {name}_f3(s, flags);\n}}\n\n\
         static int coroutine_fn unit{number}_co_read({name}_state *s, void *buf, size_t bytes)\n{{\n    \
         memset(buf, 0, bytes);\n    qemu_coroutine_yield();\n    return {name}_f0(s, (int)bytes);\n}}\n\n\
         static void unit{number}_close({name}_state *s)\n{{\n    {name}_f1(s, {});\n}}\n\n\
         const {name}_ops unit{number}_ops = {{\n    .open = unit{number}_open,\n    .co_read = unit{number}_co_read,\n    \
         .close = unit{number}_close,\n}};\n",
        numbers.below(100),
    );
    text
}

const OSDEP: &str = "\
#ifndef QEMU_OSDEP_H
#define QEMU_OSDEP_H

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define coroutine_fn
#define coroutine_mixed_fn
#define no_coroutine_fn

#define MIN_CONST(a, b) ((a) < (b) ? (a) : (b))

bool qemu_in_coroutine(void);
void coroutine_fn qemu_coroutine_yield(void);

#endif
";
