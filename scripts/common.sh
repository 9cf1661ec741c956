# What every script here shares; meant to be sourced. It changes to the repository's root.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# uv brings its own list of authorities; behind a company's proxy only the system's store knows the right one. Where the
# system has none, uv's list stays.
for store in /etc/ssl/cert.pem /etc/ssl/ca-bundle.pem /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
  [[ ! -s $store ]] || export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1}
done
unset store

cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/metastore

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
[[ -t 2 && -z ${NO_COLOR:-} ]] || say() { printf '==> %s\n' "$*" >&2; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Answer -h and --help with the comment at the top of the script.
help_if_asked() {
  case ${1:-} in
    -h | --help)
      sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "scripts/$(basename "$0")"
      exit 0
      ;;
  esac
}

# The lines of constraints.txt that pin one package, with its hashes.
pins_of() { awk -v name="$1==" '/^[a-z]/ { wanted = index($0, name) == 1 } wanted' constraints.txt; }

# uv, from the PATH or from where scripts/setup puts it.
find_uv() {
  command -v uv >/dev/null || export PATH=$cache/uv/bin:$PATH
  command -v uv >/dev/null
}
