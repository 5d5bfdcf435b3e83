'use strict';

// A real worker takes jobs from a queue. This one counts.
const fs = require('node:fs');

let jobs = 0;
setInterval(() => {
  jobs += 1;
  fs.writeFileSync('/tmp/jobs.json', JSON.stringify({ jobs }));
}, 100);
console.log('the worker is running');
