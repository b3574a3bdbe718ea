#!/bin/sh
# Installs the Debian packages that are missing: what the firmware, its cross build and the
# emulated band need. Without the rights to install, says what to do and goes on: everything
# but the firmware works without them.
set -eu

missing=""
need() { # command package
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need gcc gcc
need g++ g++
need cmake cmake
need ninja ninja-build
need arm-none-eabi-gcc gcc-arm-none-eabi
need qemu-system-arm qemu-system-arm
# The cross compiler's C library and venv's pip have no command of their own.
if command -v dpkg >/dev/null 2>&1; then
    dpkg -s libnewlib-arm-none-eabi >/dev/null 2>&1 || missing="$missing libnewlib-arm-none-eabi"
fi
python=$(command -v python3.11 || command -v python3 || true)
if [ -z "$python" ]; then
    missing="$missing python3 python3-venv"
elif ! "$python" -c 'import ensurepip' >/dev/null 2>&1; then
    missing="$missing python3-venv"
fi
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: please install, with your system's package manager:$missing" >&2
    exit 0
fi
if [ "$(id -u)" = 0 ]; then
    sudo=""
elif command -v sudo >/dev/null 2>&1; then
    sudo="sudo"
else
    echo "setup: not root and no sudo; as root run: apt-get install$missing" >&2
    exit 0
fi
echo "setup: installing$missing"
{ $sudo apt-get update -q && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -yq \
    --no-install-recommends $missing; } >/dev/null ||
    echo "setup: apt-get failed; to get the firmware and the emulated band, install:$missing" >&2
