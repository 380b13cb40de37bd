#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

// Swift cannot call macros. Each function below is one macro.

static inline int shim_certificate_count(const STACK_OF(X509) *certificates) {
    return sk_X509_num(certificates);
}
static inline STACK_OF(X509) *shim_certificates_new(void) { return sk_X509_new_null(); }
static inline int shim_certificates_push(STACK_OF(X509) *certificates, X509 *certificate) {
    return sk_X509_push(certificates, certificate);
}
// Frees the list, not what is in it.
static inline void shim_certificates_free(STACK_OF(X509) *certificates) { sk_X509_free(certificates); }
// Frees the list and releases what is in it.
static inline void shim_certificates_release(STACK_OF(X509) *certificates) {
    sk_X509_pop_free(certificates, X509_free);
}
static inline int shim_signer_count(CMS_ContentInfo *message) {
    return sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(message));
}
static inline CMS_SignerInfo *shim_first_signer(CMS_ContentInfo *message) {
    return sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(message), 0);
}
static inline int shim_recipient_count(CMS_ContentInfo *message) {
    return sk_CMS_RecipientInfo_num(CMS_get0_RecipientInfos(message));
}
// Makes an exhausted memory BIO say "end" instead of "ask again".
static inline void shim_memory_ends(BIO *memory) { BIO_set_mem_eof_return(memory, 0); }
static inline long shim_memory_contents(BIO *memory, char **contents) {
    return BIO_get_mem_data(memory, contents);
}
