/** The global object, which the build puts in place: what a page lacks is looked for when it is needed, because it may come later. */
declare const scope: any;
