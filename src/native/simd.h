// Vectors of the widest registers of the instruction set being compiled, as compiler vector types: + - * / and
// comparisons work on them as on numbers, `mask ? a : b` picks lane by lane. Loads and stores take any address; the
// `_part` ones touch no byte beyond the first n elements, so a tail needs neither padding nor a scalar loop.
//
// Included inside a namespace, after <immintrin.h> where that is there. Vectors never pass through a call that is not
// inlined.
#pragma once

#define ALWAYS __attribute__((always_inline))  // of lambdas: a vector passes through no call
#define INLINE inline ALWAYS
#define UNROLL _Pragma("GCC unroll 16")

#if defined(__AVX512F__)
constexpr int VECTOR_BYTES = 64, REGISTERS = 32;
#elif defined(__AVX2__)
constexpr int VECTOR_BYTES = 32, REGISTERS = 16;
#elif defined(__aarch64__)
constexpr int VECTOR_BYTES = 16, REGISTERS = 32;
#else
constexpr int VECTOR_BYTES = 16, REGISTERS = 16;
#endif

// N elements of T; `unaligned` is the same value at any address that T may have.
template <class T, int N> struct Lanes {
    typedef T type __attribute__((vector_size(N * sizeof(T))));
    typedef T unaligned __attribute__((vector_size(N * sizeof(T)), aligned(alignof(T)), may_alias));
};

template <class T> constexpr int WIDTH = VECTOR_BYTES / int(sizeof(T));  // elements in a register
template <class T> using V = typename Lanes<T, WIDTH<T>>::type;

// The integer of T's size: V<Int<T>> is what comparing two V<T> gives (0 or -1 in each lane), and T's bits.
template <int BYTES> struct IntOf;
template <> struct IntOf<1> { using type = int8_t; };
template <> struct IntOf<2> { using type = int16_t; };
template <> struct IntOf<4> { using type = int32_t; };
template <> struct IntOf<8> { using type = int64_t; };
template <class T> using Int = typename IntOf<sizeof(T)>::type;

template <class T> INLINE V<T> load(const T* p) { return *(const typename Lanes<T, WIDTH<T>>::unaligned*)p; }
template <class T> INLINE void store(T* p, V<T> v) { *(typename Lanes<T, WIDTH<T>>::unaligned*)p = v; }

// Every lane x (also -0 and NaN).
template <class T> INLINE V<T> broadcast(T x) { return x - V<T>{}; }

// 0, 1, 2, ...
template <class T> INLINE V<T> lanes() {
    V<T> v{};
    UNROLL for (int i = 0; i < WIDTH<T>; i++) v[i] = T(i);
    return v;
}

// The first n elements (0 <= n <= WIDTH), zeros in the other lanes; and back.
template <class T> INLINE V<T> load_part(const T* p, int n) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4) return (V<T>)_mm512_maskz_loadu_epi32(__mmask16((1u << n) - 1), p);
    if constexpr (sizeof(T) == 8) return (V<T>)_mm512_maskz_loadu_epi64(__mmask8((1u << n) - 1), p);
#elif defined(__AVX2__)
    if constexpr (sizeof(T) == 4) return (V<T>)_mm256_maskload_epi32((const int*)p, (__m256i)(lanes<int32_t>() < n));
    if constexpr (sizeof(T) == 8)
        return (V<T>)_mm256_maskload_epi64((const long long*)p, (__m256i)(lanes<int64_t>() < int64_t(n)));
#endif
    V<T> v{};
    for (int i = 0; i < n; i++) v[i] = p[i];
    return v;
}

template <class T> INLINE void store_part(T* p, V<T> v, int n) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4) return _mm512_mask_storeu_epi32(p, __mmask16((1u << n) - 1), (__m512i)v);
    if constexpr (sizeof(T) == 8) return _mm512_mask_storeu_epi64(p, __mmask8((1u << n) - 1), (__m512i)v);
#elif defined(__AVX2__)
    if constexpr (sizeof(T) == 4) return _mm256_maskstore_epi32((int*)p, (__m256i)(lanes<int32_t>() < n), (__m256i)v);
    if constexpr (sizeof(T) == 8)
        return _mm256_maskstore_epi64((long long*)p, (__m256i)(lanes<int64_t>() < int64_t(n)), (__m256i)v);
#endif
    for (int i = 0; i < n; i++) p[i] = v[i];
}

// Bit i says whether lane i is not 0.
template <class T> INLINE uint32_t nonzero_lanes(V<T> v) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4) return _mm512_cmp_ps_mask((__m512)v, __m512{}, _CMP_NEQ_UQ);
    if constexpr (sizeof(T) == 8) return _mm512_cmp_pd_mask((__m512d)v, __m512d{}, _CMP_NEQ_UQ);
#elif defined(__AVX2__)
    if constexpr (sizeof(T) == 4) return _mm256_movemask_ps((__m256)(v != V<T>{}));
    if constexpr (sizeof(T) == 8) return _mm256_movemask_pd((__m256d)(v != V<T>{}));
#elif defined(__SSE2__)
    if constexpr (sizeof(T) == 4) return _mm_movemask_ps((__m128)(v != V<T>{}));
    if constexpr (sizeof(T) == 8) return _mm_movemask_pd((__m128d)(v != V<T>{}));
#endif
    uint32_t bits = 0;
    for (int i = 0; i < WIDTH<T>; i++) bits |= uint32_t(v[i] != 0) << i;
    return bits;
}

// Bit k of the result is bit b of bytes[k].
INLINE uint64_t bit_of_each(const uint8_t (&bytes)[64], int b) {
    uint64_t found = 0;
#if defined(__AVX512BW__)
    found = _mm512_test_epi8_mask(_mm512_loadu_si512(bytes), _mm512_set1_epi8(char(1 << b)));
#elif defined(__SSE2__)
    for (int k = 0; k < 64; k += 16) {  // the highest bit of each byte, once b has been moved there
        const __m128i moved = _mm_slli_epi16(_mm_loadu_si128((const __m128i*)(bytes + k)), 7 - b);
        found |= uint64_t(uint32_t(_mm_movemask_epi8(moved))) << k;
    }
#else
    for (int k = 0; k < 64; k++) found |= uint64_t(bytes[k] >> b & 1) << k;
#endif
    return found;
}

// As NumPy's maximum and minimum: NaN if either is NaN.
template <class T> INLINE V<T> maximum(V<T> a, V<T> b) { return ((a > b) | (a != a)) ? a : b; }
template <class T> INLINE V<T> minimum(V<T> a, V<T> b) { return ((a < b) | (a != a)) ? a : b; }

// max(x, 0) where NaN stays NaN.
template <class T> INLINE V<T> relu(V<T> x) { return x < V<T>{} ? V<T>{} : x; }

// Transposes N vectors of N lanes as a square, by swapping off-diagonal blocks of half the size, a quarter, ...
template <int... I> struct Sequence {};
template <int N, int... I> struct Count : Count<N - 1, N - 1, I...> {};
template <int... I> struct Count<0, I...> { using type = Sequence<I...>; };

template <int BLOCK, class Row, int... I> INLINE void swap_blocks(Row& a, Row& b, Sequence<I...>) {
    constexpr int N = sizeof...(I);
    Row upper = __builtin_shufflevector(a, b, (I & BLOCK ? N + I - BLOCK : I)...);
    b = __builtin_shufflevector(a, b, (I & BLOCK ? N + I : I + BLOCK)...);
    a = upper;
}

template <int BLOCK, class Row, int N> INLINE void transpose_blocks(Row (&rows)[N]) {
    UNROLL for (int i = 0; i < N; i++)
        if (!(i & BLOCK)) swap_blocks<BLOCK>(rows[i], rows[i + BLOCK], typename Count<N>::type());
    if constexpr (BLOCK > 1) transpose_blocks<BLOCK / 2>(rows);
}
