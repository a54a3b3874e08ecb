#!/usr/bin/env bash
# Installs what a bare Debian 12 machine lacks. Does nothing, and needs no network, when all is there.
#   tools/setup.sh build    what building and running Assay needs
#   tools/setup.sh check    that, and what its tests and lints need
#   tools/setup.sh all      that, and what makes the lints fast
#   tools/setup.sh package  what building and packaging need
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/steps.sh

build_packages=(
  ca-certificates ccache clang-16 cmake libbenchmark-dev libboost1.81-dev libcli11-dev
  libexpected-dev libfmt-dev libgmock-dev libgtest-dev libre2-dev libsimdjson-dev
  libspdlog-dev libsqlite3-dev libsqlitecpp-dev libssl-dev libyaml-cpp-dev ninja-build
  nlohmann-json3-dev pkg-config
)
check_packages=(
  clang-format-16 clang-tidy-16 g++-12 git libclang-rt-16-dev llvm-16 patchelf python3
  shellcheck
)
lint_packages=(libclang-16-dev llvm-16-dev)
package_packages=(binutils git xz-utils)
attempts=3
oldest_npm=9

system_name() {
  local PRETTY_NAME='an unknown system'
  # shellcheck source=/dev/null
  [[ ! -r /etc/os-release ]] || . /etc/os-release
  echo "$PRETTY_NAME"
}

has_npm() {
  local version
  version=$(npm --version 2>/dev/null) && ((${version%%.*} >= oldest_npm))
}

# The bundled engine's packages, as one hash. Empty when there is no engine to install here.
engine_wanted() {
  [[ -f engine/package-lock.json && $(uname -m) == x86_64 ]] || return 0
  cat engine/package-lock.json engine/.npmrc | sha256sum
}

engine_is_current() {
  [[ -z $(engine_wanted) || $(engine_wanted) == "$(cat engine/node_modules/.installed 2>/dev/null)" ]]
}

# The packages of a list that dpkg does not have installed.
missing_packages() {
  comm -13 \
    <(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
      sed -n 's/^installed //p' | sort -u) \
    <(printf '%s\n' "$@" | sort -u)
}

# A mirror or the network may fail for a moment.
retry() {
  local attempt
  for ((attempt = 1; attempt <= attempts; ++attempt)); do
    "$@" && return
    echo "attempt $attempt of $attempts failed: $*"
    sleep $((attempt * 3))
  done
  return 1
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "installing packages needs root, and there is no sudo: run 'tools/setup.sh' as root once"
    return 1
  fi
}

apt_install() {
  # Lists that cannot be renewed may still be good enough.
  as_root apt-get update -q || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    -o DPkg::Lock::Timeout=300 "$@"
}

npm_install() {
  npm ci --prefix engine --no-progress && engine_wanted >engine/node_modules/.installed
}

# Another system's packages have other names: say what is needed, and go on if the tools are there.
check_other_system() {
  local tool
  for tool in clang++-16 cmake ninja; do
    command -v "$tool" >/dev/null && continue
    cat >&2 <<TEXT
error: no $tool here, and packages can be installed for you on Debian 12 only
  cause: this is $(system_name)
  hint: install what these Debian 12 packages hold, then run this again:
$(printf '%s ' "$@" nodejs npm | fold -s -w 76 | sed 's/^/    /')
    Versions that matter: clang 16, CMake 3.25, Boost 1.81, OpenSSL 3, npm $oldest_npm
TEXT
    return 1
  done
}

install_packages() {
  local -a wanted=("$@") missing
  engine_is_current || has_npm || wanted+=(nodejs npm)
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  ((${#missing[@]})) || return 0
  echo "Installing ${#missing[@]} Debian packages and what they need (150 MB, one to two minutes):" >&2
  echo "${missing[*]}" | fold -s -w 76 | sed 's/^/  /' >&2
  step apt retry apt_install "${missing[@]}"
}

install_engine() {
  engine_is_current && return
  echo "Installing the bundled engine, llama.cpp for Node.js (240 MB, about ten seconds):" >&2
  step npm retry npm_install
}

# Its tests say that they are skipped where it cannot be had.
install_llama_server() {
  [[ ! -f build/llama-server/complete ]] || return 0
  echo "Fetching llama-server for the tests against it (30 MB, some seconds):" >&2
  step llama-server retry tools/llama_server.sh || echo "going on without it" >&2
}

main() {
  local -a packages=("${build_packages[@]}")
  local checks=0
  case ${1-build} in
    build) ;;
    check | all)
      packages+=("${check_packages[@]}" "${package_packages[@]}") checks=1
      [[ $1 == check ]] || packages+=("${lint_packages[@]}")
      ;;
    package) packages+=("${package_packages[@]}") ;;
    *) echo "usage: tools/setup.sh [build | check | all | package]" >&2 && exit 2 ;;
  esac
  if [[ $(system_name) == Debian*" 12 "* ]]; then
    install_packages "${packages[@]}"
  else
    check_other_system "${packages[@]}"
  fi
  install_engine
  ! ((checks)) || install_llama_server
}

main "$@"
