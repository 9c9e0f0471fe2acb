/* The arithmetic of attribution: how well copies explain the records of a leak. Nothing here knows
 * of ledgers or files. All sums are of logarithms; zeros and ones are allowed everywhere and no
 * result is ever NaN. No state, any thread. */
#ifndef COFFERDAM_TRACE_MODEL_H
#define COFFERDAM_TRACE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A record of the leak. */
struct model_record {
    uint32_t holders;  /* |V_t|: copies that had it */
    bool may_be_older; /* a copy that nothing is known of any more may have had it too */
    double elsewhere;  /* p_t in [0, 1]: that it was got from none of them */
};

/* A set of records, a bit each. */
bool model_bit(const uint8_t *bits, size_t at);
void model_set_bit(uint8_t *bits, size_t at);
size_t model_bits_bytes(size_t count);

/* Papadimitriou and Garcia-Molina, "Data Leakage Detection", IEEE TKDE 23(1), 2011, equation 5:
 * Pr{G_i|S} = 1 - prod over t in S and R_i of (1 - (1 - p_t)/|V_t|). held: which of the records
 * copy i had; each of those has holders > 0. An older copy that may have had it counts as one more.
 * Values of several copies do not sum to 1. */
double model_guilt(const struct model_record *records, const uint8_t *held, size_t count);

/* Natural logarithm of prod l(t), l(t) = 1 - error where the copy had the record, else p_t. held
 * NULL: it had none, which is the outside source. -INFINITY where a factor is 0. */
double model_log_likelihood(const struct model_record *records, const uint8_t *held, size_t count,
                            double error);

/* P(U_i|S) proportional to priors[i] * exp(log_likelihoods[i]). They sum to 1, but are all 0 where
 * no hypothesis can have given the records. */
void model_posterior(const double *priors, const double *log_likelihoods, size_t count,
                     double *posteriors);

#endif
