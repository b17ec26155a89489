# What tests leave behind is none of the app.
files() { find "$1" \( -name node_modules -o -name vendor -o -name .git \) -prune -o -print | LC_ALL=C sort; }
