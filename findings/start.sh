# Sourced by the others: a temporary folder with an environment of its own, which is gone at the end, and servers.py in it.
# install PACKAGE==VERSION ...   what the finding is about; nothing of this project is installed or run
# holds NAME EXPECTED FOUND      one line of output; the script fails at its end if one did not hold
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cp "$here/servers.py" .
changed=0

install() {
  python3 -m venv environment
  environment/bin/pip install --quiet --quiet --disable-pip-version-check "$@"
  PATH="$folder/environment/bin:$PATH"
  echo "versions: $*"
}

holds() {
  if [ "$2" = "$3" ]; then echo "  $1: $3"; else
    echo "  $1: $3  CHANGED, was: $2"
    changed=1
  fi
}

finish() {
  if [ "$changed" = 0 ]; then echo "as found"; else
    echo "something has changed"
    exit 1
  fi
}
