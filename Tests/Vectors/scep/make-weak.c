/* Makes pkiMessages below the floor: make-weak DIGEST CIPHER KEY CERT RA CSR OUT (README.md). */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <string.h>

static X509 *certificate(const char *path) {
    return PEM_read_bio_X509(BIO_new_file(path, "r"), NULL, NULL, NULL);
}

int main(int count, char **arguments) {
    if (count != 8) return 2;
    const EVP_MD *digest = EVP_get_digestbyname(arguments[1]);
    const EVP_CIPHER *cipher = EVP_get_cipherbyname(arguments[2]);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(BIO_new_file(arguments[3], "r"), NULL, NULL, NULL);
    X509 *signer = certificate(arguments[4]);
    STACK_OF(X509) *recipients = sk_X509_new_null();
    sk_X509_push(recipients, certificate(arguments[5]));
    CMS_ContentInfo *envelope =
        CMS_encrypt(recipients, BIO_new_file(arguments[6], "rb"), cipher, CMS_BINARY);
    unsigned char *octets = NULL;
    int length = i2d_CMS_ContentInfo(envelope, &octets);
    CMS_ContentInfo *message = CMS_sign(NULL, NULL, NULL, NULL, CMS_BINARY | CMS_PARTIAL);
    CMS_SignerInfo *info = CMS_add1_signer(message, signer, key, digest, CMS_BINARY | CMS_NOSMIMECAP);
    const char *nonce = "0123456789abcdef", *transaction = "weak";
    CMS_signed_add1_attr_by_txt(info, "2.16.840.1.113733.1.9.2", V_ASN1_PRINTABLESTRING, "19", 2);
    CMS_signed_add1_attr_by_txt(info, "2.16.840.1.113733.1.9.5", V_ASN1_OCTET_STRING, nonce, 16);
    CMS_signed_add1_attr_by_txt(info, "2.16.840.1.113733.1.9.7", V_ASN1_PRINTABLESTRING, transaction, 4);
    if (CMS_final(message, BIO_new_mem_buf(octets, length), NULL, CMS_BINARY) != 1) return 1;
    BIO *output = BIO_new_file(arguments[7], "wb");
    if (i2d_CMS_bio(output, message) != 1) return 1;
    BIO_free(output);
    return 0;
}
