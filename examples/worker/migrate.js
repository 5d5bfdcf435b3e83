'use strict';

// A real application changes its database here. Each machine remembers the release
// for which this ran.
const fs = require('node:fs');

fs.writeFileSync('migrated.json', JSON.stringify({ schema: 1, at: new Date().toISOString() }));
console.log('the schema is at version 1');
