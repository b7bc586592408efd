#!/bin/sh
# Prints the path of the Python of a version, "3.12" say, as PATH or pyenv has it; nothing where it is not installed.
is_it() { [ "$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$2" ]; }

# A shim of pyenv's is there for every version, and fails for those that are not switched on: hence the question.
found=$(command -v "python$1")
if [ -n "$found" ] && is_it "$found" "$1"; then
    echo "$found"
elif command -v pyenv >/dev/null; then
    for folder in "$(pyenv root)/versions/$1".*; do
        if is_it "$folder/bin/python" "$1"; then
            echo "$folder/bin/python"
            break
        fi
    done
fi
