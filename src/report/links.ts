/** Where the page of a check is published. */
const PAGES = 'https://github.com/sallyport/sallyport/blob/main/docs/checks';

export function pageUrl(check: string): string {
  return `${PAGES}/${check}.md`;
}
