#!/usr/bin/env node
// Starts the command, or says which Node it needs: in syntax that old ones read, before anything else is loaded.
'use strict';

var needed = require('../package.json').engines.node.replace('>=', '');
var parts = needed.split('.').map(Number);
var here = process.versions.node.split('.').map(Number);

if (here[0] > parts[0] || (here[0] === parts[0] && here[1] >= parts[1])) {
  import('../dist/lib/main.js');
} else {
  console.error('lincir: it needs Node ' + needed + ' or newer, and this is Node ' + process.versions.node);
  process.exitCode = 1;
}
