/** Resource quantities. Source: apimachinery pkg/api/resource/quantity.go (ParseQuantity). */

const QUANTITY = /^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?$/;

/** Whether the text is a quantity. White space around it is forgiven, as the API server forgives it. */
export function isQuantity(text: string): boolean {
  return QUANTITY.test(text.trim());
}
