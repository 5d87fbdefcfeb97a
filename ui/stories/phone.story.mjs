import { tour } from './kit/tour.mjs';

export const title = 'every page on a phone: for all eyes, within 390 and 320 px';

export default (world) => tour(world, { phone: true });
