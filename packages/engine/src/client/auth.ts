export interface AuthFeature {
  readonly name: 'auth';
}
