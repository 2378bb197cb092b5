/** A value while it is being written. Members that are set one after the other give objects of few shapes; a spread with members after it gives many. */
export type Written<T> = { -readonly [name in keyof T]: T[name] };
