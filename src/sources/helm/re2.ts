/** Brings RE2 in. It costs some milliseconds, which the program saves until the first pattern (tools/program.ts, LAZY). */
import { RE2JS } from 're2js';
import { useRe2 } from './regexes.ts';

useRe2(RE2JS);
