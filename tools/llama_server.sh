#!/usr/bin/env bash
# Brings llama.cpp's own server and llama-bench, for tests and benches against the real thing:
#   tools/llama_server.sh [RELEASE]    into build/llama-server/{llama-server,llama-bench}
# Debian 12 has no llama.cpp. The packages of a later release of Debian (forky unless named) are
# fetched and verified by apt and unpacked with the C library they want; nothing is installed.
# Needs patchelf. Does nothing when they are there already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
release=${1-forky}
folder=$PWD/build/llama-server
programs=(llama-server llama-bench)

[[ ! -f $folder/complete ]] || exit 0
if [[ $(uname -m) != x86_64 ]] || ! command -v apt-get >/dev/null; then
  echo "error: the packages are for Debian on x86_64"
  exit 1
fi
# The mirror that this machine uses anyway.
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' |
  grep -v -- -security | head -n 1)
[[ -n $mirror ]] || { echo "error: apt has no Debian mirror"; exit 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/llama-server.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial"
echo "deb [arch=amd64] $mirror $release main" >"$work/sources.list"
# As if nothing were installed: what comes must not need this system's libraries.
: >"$work/status"
apt() {
  apt-get -q -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State="$work" -o Dir::State::Lists="$work/lists" -o Dir::State::status="$work/status" \
    -o Dir::Cache="$work" -o Dir::Cache::archives="$work/archives" \
    -o Acquire::Languages=none -o APT::Install-Recommends=false -o APT::Architecture=amd64 \
    -o APT::Architectures=amd64 -o APT::Sandbox::User= "$@"
}
apt update
apt install --download-only -y llama.cpp-tools

rm -rf "$folder"
mkdir -p "$folder/root"
for package in "$work"/archives/*.deb; do
  dpkg-deb -x "$package" "$folder/root"
done
libraries=$folder/root/usr/lib/x86_64-linux-gnu
# GGML looks for its back ends beside the program, which a router starts again by its own path.
backends=$(dirname "$libraries"/ggml/*/libggml-cpu-x64.so)
# Their own search paths are those of an installed system, and would go before the program's.
find "$libraries" -type f \( -name '*llama*.so*' -o -name 'libggml*.so*' \) -exec patchelf --remove-rpath {} +
for program in "${programs[@]}"; do
  cp "$folder/root/usr/bin/$program" "$backends/"
  patchelf --set-interpreter "$libraries/ld-linux-x86-64.so.2" --force-rpath \
    --set-rpath "$libraries:$libraries/llama" "$backends/$program"
  ln -s "$backends/$program" "$folder/$program"
done
"$folder/llama-server" --version
touch "$folder/complete"
