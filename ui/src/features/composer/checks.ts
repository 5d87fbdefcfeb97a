import { plainText } from '$core/format';

const ATTACHMENT =
  /\b(attach(ed|ment|ments|ing)?|enclosed|enclosure|anbei|angehängt|angefügt|anhang|beigefügt|beigelegt|in der anlage|ci-joint|en pièce jointe|adjunt[oa]s?|allegat[oi]|vedlagt|vedlegg|bifogat|bijgevoegd|bijlage)\b/i;
const GREETING =
  /^\s*(hi|hello|hey|dear|good (morning|afternoon|evening)|hallo|guten (morgen|tag|abend)|moin|sehr geehrte[r]?|liebe[r]?|bonjour|hola|hei|hej|ciao)\b/i;
const FAREWELL =
  /\b((kind|best|warm) regards|best wishes|sincerely|yours truly|(mit freundlichen|viele|beste|liebe|herzliche) grüßen?|mfg|cordialement|saludos|med vennlig hilsen|hilsen)\b[^.?!]{0,60}$/i;

/** The text speaks of an attachment. Quoted text does not count. */
export function mentionsAttachment(html: string): boolean {
  return ATTACHMENT.test(plainText(html.replace(/<blockquote[\s\S]*<\/blockquote>/gi, '')));
}

/** A note that greets the customer by name, or greets and takes leave as a letter does, was probably meant as a reply. */
export function looksLikeReply(html: string, customer: string): boolean {
  const text = plainText(html);
  if (!GREETING.test(text)) return false;
  const start = text.slice(0, 60).toLowerCase();
  const names = customer.toLowerCase().split(/\s+/);
  return FAREWELL.test(text) || names.some((name) => name.length > 1 && start.includes(name));
}

/** Nothing a reader would see. */
export function isEmpty(html: string): boolean {
  return !/<img\b/i.test(html) && plainText(html) === '';
}
