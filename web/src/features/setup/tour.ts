import { Watched } from '../../app/events';

/** Whether the tour of the screen is shown; the help sheet starts it again. */
export const tour = new Watched(false);
