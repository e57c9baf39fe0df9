#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the Debian packages that building, testing and the demonstration need; does nothing
# when they are all there. Needs root only when something is missing.
set -eu

packages="gcc make pkg-config musl-tools libc6-dev linux-libc-dev
	libcap-ng-dev libseccomp-dev libnftnl-dev libmnl-dev
	clang libcmocka-dev python3 python3-pytest mandoc
	nftables iproute2 openssh-server openssh-client sudo opendoas procps
	curl strace"

missing=
for p in $packages "$@"; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q '^install ok installed$' ||
		missing="$missing $p"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "missing packages:$missing" >&2
	echo "install them with: sudo apt-get install$missing" >&2
	exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086
apt-get install -q -y --no-install-recommends $missing
