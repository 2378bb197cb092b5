export {
  ADDRESS_LETTER,
  type AddressDeviation,
  ANY_ADDRESS,
  OBSOLETE_ADDRESS,
} from './address-deviation.ts';
export {
  type Address,
  type AddressListDeviation,
  type AddressOptions,
  type Group,
  type NamedMailbox,
  parseAddressList,
  parseNamedMailbox,
} from './address-list.ts';
export { formatAddressList, type WritableAddress, type WritableMailbox } from './format-address.ts';
