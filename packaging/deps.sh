#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian packages that building, testing and the demonstration need, and those named
# as arguments ("?name": only where the distribution has it). Does nothing when they are all
# there. Needs root only when something is missing.
set -eu

packages="gcc make pkg-config musl-tools libc6-dev linux-libc-dev
	libcap-ng-dev libseccomp-dev libnftnl-dev libmnl-dev
	clang libcmocka-dev python3 python3-pytest mandoc
	netbase nftables iproute2 openssh-server openssh-client sudo opendoas procps
	curl strace"

missing=
optional=
for p in $packages "$@"; do
	dpkg-query -W -f '${Status}' "${p#\?}" 2>/dev/null | grep -q '^install ok installed$' && continue
	case $p in
	\?*) optional="$optional ${p#\?}" ;;
	*) missing="$missing $p" ;;
	esac
done
[ -n "$missing$optional" ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "missing packages:$missing$optional" >&2
	echo "install them with: sudo apt-get install$missing$optional" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
for p in $optional; do
	if apt-cache pkgnames "$p" | grep -qx "$p"; then
		missing="$missing $p"
	fi
done
[ -n "$missing" ] || exit 0
echo "installing:$missing"
# shellcheck disable=SC2086
apt-get install -q -y --no-install-recommends $missing
