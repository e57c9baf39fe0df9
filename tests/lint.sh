#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The rules about the shape of the code that a compiler does not check.
# shellcheck disable=SC2013,SC2044,SC2086 # our file names have no blanks
set -u
cd "$(dirname "$0")/.." || exit 1
programs="fwhelper proxy remote-stub hostwatch"
bad=0

complain() {
	echo "lint: $1" >&2
	bad=1
}

if grep -rn --include='*.[ch]' '#include "\.\./' common $programs; then
	complain 'an include with "../" hides which folder it depends on'
fi

# A program is a trust domain: its quoted includes lie in its own folder or in common/.
for folder in $programs common; do
	for file in "$folder"/*.[ch] "$folder"/*/*.[ch]; do
		[ -f "$file" ] || continue
		for header in $(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file"); do
			case $header in remote_filter.h) continue ;; esac # generated
			[ -f "$folder/$header" ] || [ -f "common/$header" ] ||
				complain "$file includes $header, which is neither in $folder/ nor in common/"
		done
	done
done

for file in $(find common $programs tests packaging .ci -type f \
	\( -name '*.[ch]' -o -name '*.py' -o -name '*.sh' -o -name '*.mk' -o -name run \)); do
	lines=$(wc -l <"$file")
	[ "$lines" -le 500 ] || complain "$file has $lines lines: two subjects"
	head -3 "$file" | grep -q 'SPDX-License-Identifier' || complain "$file names no licence"
done

# What runs as root stands in SECURITY.md as it stands in the Makefile.
grep '^sshuttle-fwhelper_' Makefile | while read -r line; do
	grep -Fqx "$line" SECURITY.md || echo "$line"
done | grep . && complain 'SECURITY.md quotes another line of the Makefile'

exit $bad
