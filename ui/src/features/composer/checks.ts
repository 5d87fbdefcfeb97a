import { plainText } from '$core/format';

const ATTACHMENT =
  /\b(attach(ed|ment|ments|ing)?|enclosed|enclosure|anbei|angehängt|anhang|beigefügt|im anhang|ci-joint|en pièce jointe|adjunt[oa]s?|allegat[oi]|vedlagt|vedlegg|bifogat|bijgevoegd|bijlage)\b/i;
const GREETING =
  /^\s*(hi|hello|hey|dear|good (morning|afternoon|evening)|hallo|liebe[r]?|bonjour|hola|hei|hej|ciao)\b/i;

/** The text speaks of an attachment. Quoted text does not count. */
export function mentionsAttachment(html: string): boolean {
  return ATTACHMENT.test(plainText(html.replace(/<blockquote[\s\S]*<\/blockquote>/gi, '')));
}

/** A note that greets the customer by name was probably meant as a reply. */
export function looksLikeReply(html: string, customer: string): boolean {
  const text = plainText(html);
  const first = customer.split(/\s+/)[0]?.toLowerCase() ?? '';
  return GREETING.test(text) && first.length > 1 && text.slice(0, 60).toLowerCase().includes(first);
}

/** Nothing a reader would see. */
export function isEmpty(html: string): boolean {
  return !/<img\b/i.test(html) && plainText(html) === '';
}
