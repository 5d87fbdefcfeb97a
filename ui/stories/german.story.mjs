import { tour } from './kit/tour.mjs';

export const title = 'every page in German on a phone: longer words within 390 and 320 px';

export default (world) => tour(world, { phone: true, language: 'de' });
