import { NO_MARKS, type Marks } from './handle';

/** What the cursor stands in, for the pressed state of the toolbar. */
export const marks = $state<Marks>({ ...NO_MARKS });
