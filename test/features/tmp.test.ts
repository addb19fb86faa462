import t from 'tap';
import { execFileSync } from 'node:child_process';
t.comment(JSON.stringify(process.execArgv), String(process.env['NODE_OPTIONS']), String(process.env['TAP']));
t.comment(execFileSync('setpriv', ['--reuid=65534','--regid=65534','--clear-groups', process.execPath, ...process.execArgv, 'src/cli/main.ts', '--version'], {encoding:'utf8'}));
const a=performance.now();
t.comment(execFileSync(process.execPath, [...process.execArgv, 'src/cli/main.ts', '--version'], {encoding:'utf8'}));
t.comment(performance.now()-a);
