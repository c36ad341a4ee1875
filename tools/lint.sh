#!/bin/sh
# The checks of other people's programs over our sources. Run by ctest in the clang build tree.
#
#   tools/lint.sh format|clang-tidy|wasm BUILD-TREE
set -eu
build=${2-build/clang}

# Every C file we wrote.
sources() {
    for folder in src include tests fuzz bench examples; do
        if [ -d "$folder" ]; then
            find "$folder" -name '*.[ch]'
        fi
    done | sort
}

case "${1-}" in
format)
    sources | xargs clang-format --dry-run -Werror
    ;;
clang-tidy)
    # Only what the build tree compiles: clang-tidy takes the flags from compile_commands.json.
    sources | grep '\.c$' | while read -r file; do
        if grep -qF "/$file\"" "$build/compile_commands.json"; then
            echo "$file"
        fi
    done | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p "$build" 2>"$build/clang-tidy.stderr" || {
        grep -v ' warnings\? generated\.$' "$build/clang-tidy.stderr" >&2 || :
        exit 1
    }
    ;;
wasm)
    # Levels 0 to 6 without os and doctor are ISO C and run in a browser as well. Compiled, thrown
    # away.
    folders=$(sed -n 's/^ho_folder(\([a-z]*\) [0-6])$/\1/p' CMakeLists.txt | grep -vx -e os -e doctor)
    for folder in $folders; do
        find "src/$folder" -name '*.c'
    done | xargs -r -P "$(nproc)" -I FILE clang --target=wasm32-wasi --sysroot=/usr -std=c11 -O1 \
        -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Werror -Isrc -Iinclude \
        -c FILE -o /dev/null
    ;;
*)
    echo "usage: $0 format|clang-tidy|wasm BUILD-TREE" >&2
    exit 2
    ;;
esac
