import { tour } from './kit/tour.mjs';

export const title = 'every page: for all eyes, in light and dark, by keyboard';

export default (world) => tour(world, { phone: false });
