"""Protection of natural persons' data: keyed hashes to find by, sealed values to keep, masks to show.

Nothing of a person is written anywhere in clear text. Each number, name, phone and address of a natural person is
turned into one `Protected` value before it leaves the process: GB/T 35273-2020 (6.3, storage of personal
sensitive information is encrypted) and the Personal Information Protection Law, article 51 (3), ask for it.
"""

from hub.protect.ciphers import AES_256_GCM, SM4_GCM, CipherUnavailable, SealCipher
from hub.protect.keys import KeyRing, load_ring, new_ring, store_ring
from hub.protect.protector import Protected, Protector
from hub.protect.text import mask_address, mask_name, mask_number, mask_phone, normalize

__all__ = [
    "AES_256_GCM",
    "SM4_GCM",
    "CipherUnavailable",
    "KeyRing",
    "Protected",
    "Protector",
    "SealCipher",
    "load_ring",
    "mask_address",
    "mask_name",
    "mask_number",
    "mask_phone",
    "new_ring",
    "normalize",
    "store_ring",
]
