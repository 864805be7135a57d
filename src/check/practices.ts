/** The five practices: folder names, the first half of check ids, command words and doc folders all come from here. */

export const practices = ['authorization', 'pod-security', 'production', 'cicd', 'mesh'] as const;

export type Practice = (typeof practices)[number];
