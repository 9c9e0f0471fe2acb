/* Throw-away certificates for tests: a CA, a server for localhost and 127.0.0.1, a client, and a
 * second CA that nobody trusts, as PEM files in a temporary folder. */
#ifndef TESTS_UNIT_NET_CERTIFICATES_H
#define TESTS_UNIT_NET_CERTIFICATES_H

struct certificates {
    char folder[64];
    char ca[96], wrong_ca[96];
    char server_certificate[96], server_key[96];
    char client_certificate[96], client_key[96];
    char stranger_certificate[96], stranger_key[96]; /* issued by wrong_ca */
};

void certificates_make(struct certificates *certificates);
void certificates_remove(struct certificates *certificates);

#endif
