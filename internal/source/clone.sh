export GIT_TERMINAL_PROMPT=0
cd "$folder"
git init -q
# A commit can be asked for by its id at most places; elsewhere all of the
# history is fetched.
git fetch -q --depth 1 -- "$url" "$commit" 2>/dev/null || git fetch -q --tags -- "$url" '+refs/heads/*:refs/remotes/origin/*'
git -c advice.detachedHead=false checkout -q "$commit"
[ ! -f .gitmodules ] || git submodule update -q --init --recursive --depth 1
rm -rf .git # it holds the URL, and with it what may be a token
