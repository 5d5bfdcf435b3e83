if [ -x /usr/local/bin/nodemon ]; then
	echo "already there: nodemon $(nodemon --version)"
	exit 0
fi
npm install -g --prefix /usr/local nodemon
