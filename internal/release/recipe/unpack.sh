tar -xzf - --no-same-owner -C "$home.new"
