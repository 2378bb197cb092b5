export * from '@ehlo/sasl';
