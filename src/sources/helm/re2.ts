/** Brings RE2 in. It costs some milliseconds, so it is imported only where a chart may need it. */
import { RE2JS } from 're2js';
import { useRe2 } from './regexes.ts';

useRe2(RE2JS);
