/* The verifiable random function against RFC 9381, appendix B.3, and against hostile proofs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "crypto/vrf.h"

struct example {
    const char *seed, *public_key, *input, *proof, *output;
};

/* RFC 9381, B.3, examples 16 to 18. */
static const struct example examples[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "8657106690b5526245a92b003bb079ccd1a92130477671f6fc01ad16f26f723f"
     "26f8a57ccaed74ee1b190bed1f479d97"
     "27d2d0f9b005a6e456a35d4fb0daab1268a1b0db10836d9826a528ca76567805",
     "90cf1df3b703cce59e2a35b925d411164068269d7b2d29f3301c03dd757876ff"
     "66b71dda49d2de59d03450451af026798e8f81cd2e333de5cdf4f3e140fdd8ae"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "f3141cd382dc42909d19ec5110469e4feae18300e94f304590abdced48aed593"
     "3bf0864a62558b3ed7f2fea45c92a465"
     "301b3bbf5e3e54ddf2d935be3b67926da3ef39226bbc355bdc9850112c8f4b02",
     "eb4440665d3891d668e7e0fcaf587f1b4bd7fbfe99d0eb2211ccec90496310eb"
     "5e33821bc613efb94db5e5b54c70a848a0bef4553a41befc57663b56373a5031"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "9bc0f79119cc5604bf02d23b4caede71393cedfbb191434dd016d30177ccbf80"
     "96bb474e53895c362d8628ee9f9ea3c0"
     "e52c7a5c691b6c18c9979866568add7a2d41b00b05081ed0f58ee5e31b3a970e",
     "645427e5d00c62a23fb703732fa5d892940935942101e456ecca7bb217c61c45"
     "2118fec1219202a0edcf038bb6373241578be7217ba85a2687f7a0310b2df19f"},
};

enum { EXAMPLES = sizeof examples / sizeof examples[0], MOST_BYTES = 128 };

static size_t unhex(const char *text, uint8_t *bytes)
{
    size_t len = strlen(text) / 2;
    for (size_t i = 0; i < len; i++) {
        const char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return len;
}

static void assert_hex(const uint8_t *bytes, const char *expected)
{
    char text[2 * MOST_BYTES + 1];
    crypto_hex(bytes, strlen(expected) / 2, text);
    assert_string_equal(text, expected);
}

static void agrees_with_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < EXAMPLES; i++) {
        uint8_t seed[VRF_SEED_BYTES], input[MOST_BYTES], proof[VRF_PROOF_BYTES];
        uint8_t output[VRF_OUTPUT_BYTES];
        struct vrf_key key;
        unhex(examples[i].seed, seed);
        struct slice asked = slice_of(input, unhex(examples[i].input, input));
        vrf_key_derive(seed, &key);
        assert_hex(key.public_key, examples[i].public_key);
        vrf_prove(&key, asked, proof, output);
        assert_hex(proof, examples[i].proof);
        assert_hex(output, examples[i].output);
        memset(output, 0, sizeof output);
        vrf_output(&key, asked, output);
        assert_hex(output, examples[i].output);
        memset(output, 0, sizeof output);
        assert_true(vrf_verify(key.public_key, asked, proof, output));
        assert_hex(output, examples[i].output);
    }
}

static void every_flipped_bit_of_a_proof_is_refused(void **state)
{
    (void)state;
    uint8_t public_key[VRF_PUBLIC_BYTES], proof[VRF_PROOF_BYTES], output[VRF_OUTPUT_BYTES];
    unhex(examples[1].public_key, public_key);
    unhex(examples[1].proof, proof);
    for (size_t bit = 0; bit < 8 * sizeof proof; bit++) {
        proof[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (vrf_verify(public_key, slice_of_text("r"), proof, output))
            fail_msg("bit %zu of the proof makes no difference", bit);
        proof[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(vrf_verify(public_key, slice_of_text("r"), proof, output)); /* 0x72 */
    assert_false(vrf_verify(public_key, slice_of_text("s"), proof, output));
}

/* Points that would let a prover choose: of small order, not canonical, of no curve. */
static const char *const bad_points[] = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "0200000000000000000000000000000000000000000000000000000000000000",
};

static void hostile_points_are_refused(void **state)
{
    (void)state;
    uint8_t public_key[VRF_PUBLIC_BYTES], proof[VRF_PROOF_BYTES], output[VRF_OUTPUT_BYTES];
    for (size_t i = 0; i < sizeof bad_points / sizeof bad_points[0]; i++) {
        unhex(examples[0].public_key, public_key);
        unhex(examples[0].proof, proof);
        unhex(bad_points[i], proof);
        assert_false(vrf_verify(public_key, slice_of("", 0), proof, output));
        unhex(examples[0].proof, proof);
        unhex(bad_points[i], public_key);
        assert_false(vrf_verify(public_key, slice_of("", 0), proof, output));
        memset(proof, 0, sizeof proof); /* nothing times nothing */
        unhex(bad_points[i], proof);
        assert_false(vrf_verify(public_key, slice_of("", 0), proof, output));
    }
}

/* s + the group's order is the same number, and must not be the same proof. */
static void an_answer_that_is_not_reduced_is_refused(void **state)
{
    (void)state;
    static const char order[] = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    uint8_t public_key[VRF_PUBLIC_BYTES], proof[VRF_PROOF_BYTES], output[VRF_OUTPUT_BYTES];
    uint8_t add[32];
    unsigned carry = 0;
    unhex(examples[2].public_key, public_key);
    unhex(examples[2].proof, proof);
    unhex(order, add);
    for (size_t i = 0; i < sizeof add; i++) {
        carry += (unsigned)proof[48 + i] + add[i];
        proof[48 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_false(vrf_verify(public_key, slice_of("\xaf\x82", 2), proof, output));
}

static void two_keys_have_two_outputs(void **state)
{
    (void)state;
    struct vrf_key one, other;
    uint8_t a[VRF_OUTPUT_BYTES], b[VRF_OUTPUT_BYTES], proof[VRF_PROOF_BYTES];
    vrf_key_derive((const uint8_t[VRF_SEED_BYTES]){1}, &one);
    vrf_key_derive((const uint8_t[VRF_SEED_BYTES]){2}, &other);
    vrf_prove(&one, slice_of_text("customer"), proof, a);
    vrf_output(&other, slice_of_text("customer"), b);
    assert_memory_not_equal(a, b, sizeof a);
    assert_false(vrf_verify(other.public_key, slice_of_text("customer"), proof, a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_rfc),
        cmocka_unit_test(every_flipped_bit_of_a_proof_is_refused),
        cmocka_unit_test(hostile_points_are_refused),
        cmocka_unit_test(an_answer_that_is_not_reduced_is_refused),
        cmocka_unit_test(two_keys_have_two_outputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
