// The gradients of convolution, activation and max-pool together; the gradient of the convolution's own output never exists
// as a whole. A pool hands each gradient on to one position, so of several positions all but one have none. Where the
// shapes allow it, the gradients that are not zero are followed one by one (by entries): each adds a multiple of a patch of
// x to dw, and a multiple of its filter to a patch of dx, which registers do for a filter at a time. Otherwise the gradients of a
// few images are un-pooled into scratch that stays in cache, and dw and dx are taken from it as from any convolution's.
#pragma once
#include "conv_pool.h"

// -- conv_pool_grad: dx?, dw, dbias?, g, y, argmax, x, w

// The gradient of the activation's output y turned into that of its input.
template <class T> INLINE V<T> activation_grad(int activation, V<T> y, V<T> g) {
    switch (activation) {
        case RELU: return y > V<T>{} ? g : V<T>{};
        case TANH: return g * (1 - y * y);
        case SIGMOID: return g * (y * (1 - y));
        default: return g;
    }
}

// z = one image's gradient behind pool and activation, bias += its sum over positions. ADD: windows overlap or leave gaps.
template <class T, bool ADD, int TAPS>
void unpool(const ConvPool& p, const Steps& zs, const int64_t* offset, const T* g, const T* y, const uint8_t* argmax, T* z,
            T* bias) {
    const int64_t channels = p.c.groups * p.c.filters, taps = p.taps();
    if (ADD) __builtin_memset(z, 0, zs.of[0] * sizeof(T));
    for_channels<T>(channels, [&](int64_t c, int n) ALWAYS {
        V<T> sum{};
        int64_t at = c;
        for (int64_t i = 0; i < p.out[0]; i++)
            for (int64_t j = 0; j < p.out[1]; j++)
                for (int64_t k = 0; k < p.out[2]; k++, at += channels) {
                    const V<T> d = activation_grad<T>(p.c.activation, load_some(y + at, n), load_some(g + at, n));
                    const V<Int<T>> where = load_taps<T>(argmax + at, n);
                    T* to = z + i * p.stride[0] * zs.of[1] + j * p.stride[1] * zs.of[2] + k * p.stride[2] * zs.of[3] + c;
                    sum += d;
                    UNROLL for (int64_t t = 0; t < (TAPS ? TAPS : taps); t++) {
                        V<T> v = where == Int<T>(t) ? d : V<T>{};
                        if (ADD) v += load_some(to + offset[t], n);
                        store_some(to + offset[t], v, n);
                    }
                }
        store_part(bias + c, load_part(bias + c, n) + sum, n);
    });
}

// ---- by entries

// An image's gradient behind the pool, as a list for each filter: what is not zero, and where the patch of x begins that it
// came from. A patch is `lines` times `length` contiguous elements.
template <class T> struct Entries {
    int64_t filters, most;  // entries of a filter
    T* value;
    int32_t *place, *count;

    static size_t bytes(int64_t filters, int64_t most) { return filters * most * (sizeof(T) + 4) + filters * 4; }
    Entries(char* room, int64_t filters, int64_t most)
        : filters(filters), most(most), value((T*)room), place((int32_t*)(value + filters * most)), count(place + filters * most) {}

    // Lists one image; bias += its sum over positions.
    void list(const ConvPool& p, const Steps& to_x, const int64_t* offset, const T* g, const T* y, const uint8_t* argmax, T* bias) {
        constexpr int W = WIDTH<T>;
        for (int64_t f = 0; f < filters; f += W) {
            V<T> sum{};
            int64_t at = f, n[W] = {};
            T d[W];
            for (int64_t i = 0; i < p.out[0]; i++)
                for (int64_t j = 0; j < p.out[1]; j++)
                    for (int64_t k = 0; k < p.out[2]; k++, at += filters) {
                        const int64_t window = i * p.stride[0] * to_x.of[1] + j * p.stride[1] * to_x.of[2] + k * p.stride[2] * to_x.of[3];
                        const V<T> v = activation_grad<T>(p.c.activation, load(y + at), load(g + at));
                        sum += v;
                        store(d, v);
                        for (int l = 0; l < W; l++) {
                            const int64_t to = (f + l) * most + n[l];
                            value[to] = d[l], place[to] = int32_t(window + offset[argmax[at + l]]);
                            n[l] += d[l] != 0;
                        }
                    }
            for (int l = 0; l < W; l++) count[f + l] = int32_t(n[l]);
            store(bias + f, load(bias + f) + sum);
        }
    }
};

struct Patch {
    int64_t lines, length;
    int64_t line[MAX_TAPS];  // where in x each begins
    int64_t size() const { return lines * length; }
};

constexpr int ENTRY_LINES = 3, ENTRY_VECTORS = REGISTERS == 32 ? 6 : 3;  // of the tile of a patch that registers hold

// For every entry, some lines and vectors of its patch of x: tile += value * patch, or with SPREAD patch += value * tile. Tiles
// of a filter lie together.
template <class T, int LINES, int NV, bool SPREAD>
void follow(const Entries<T>& e, const Patch& p, int64_t line, int64_t column, T* x, T* tiles) {
    constexpr int W = WIDTH<T>;
    T* patch[LINES];
    UNROLL for (int r = 0; r < LINES; r++) patch[r] = x + p.line[line + r] + column;
    for (int64_t f = 0; f < e.filters; f++) {
        T* const mine = tiles + f * p.size() + line * p.length + column;
        V<T> tile[LINES][NV];
        UNROLL for (int r = 0; r < LINES; r++)
            UNROLL for (int j = 0; j < NV; j++) tile[r][j] = load(mine + r * p.length + j * W);
        for (int64_t i = f * e.most, end = i + e.count[f]; i < end; i++) {
            const V<T> d = broadcast(e.value[i]);
            const int64_t place = e.place[i];
            UNROLL for (int r = 0; r < LINES; r++)
                UNROLL for (int j = 0; j < NV; j++) {
                    T* const at = patch[r] + place + j * W;
                    if (SPREAD) store(at, load(at) + d * tile[r][j]);
                    else tile[r][j] += d * load(at);
                }
        }
        if (SPREAD) continue;
        UNROLL for (int r = 0; r < LINES; r++)
            UNROLL for (int j = 0; j < NV; j++) store(mine + r * p.length + j * W, tile[r][j]);
    }
}

// Both, over all of a patch in tiles that registers hold.
template <class T, int LINES, int NV>
void patch_tile(const Entries<T>& e, const Patch& p, int64_t r, int64_t c, const T* x, T* sums, T* dx, const T* w) {
    follow<T, LINES, NV, false>(e, p, r, c, const_cast<T*>(x), sums);
    if (dx) follow<T, LINES, NV, true>(e, p, r, c, dx, const_cast<T*>(w));
}
template <class T> void patch_tiles(const Entries<T>& e, const Patch& p, const T* x, T* sums, T* dx, const T* w) {
    constexpr int W = WIDTH<T>, WIDE = ENTRY_VECTORS * W, LINES = ENTRY_LINES;
    for (int64_t r = 0, lines; r < p.lines; r += lines) {
        lines = p.lines - r >= LINES ? LINES : 1;
        for (int64_t c = 0, n; c < p.length; c += n) {
            n = p.length - c >= WIDE ? WIDE : W;
            auto run = lines == LINES ? n == WIDE ? patch_tile<T, LINES, ENTRY_VECTORS> : patch_tile<T, LINES, 1>
                                      : n == WIDE ? patch_tile<T, 1, ENTRY_VECTORS> : patch_tile<T, 1, 1>;
            run(e, p, r, c, x, sums, dx, w);
        }
    }
}

// ---- the kernel

constexpr int64_t ENTRY_IMAGE = 256 << 10;  // bytes of an image that may be visited in any order

struct ConvPoolGrad {
    ConvPool p;
    bool dx, by_entries;
    int64_t parts, images, sums;  // images un-pooled at a time
    size_t packed, scratch;       // bytes
    int64_t size() const { return p.c.taps() * p.c.channels * row(); }
    int64_t row() const { return p.c.groups * p.c.filters; }
    int64_t packing() const { return by_entries ? part_count(packed, p.c.filters * 4 / VECTOR_BYTES) : p.c.taps(); }
};
inline ConvPoolGrad conv_pool_grad_of(const Call& call) {
    ConvPoolGrad b;
    b.p = conv_pool_of(call.ints, call.args[6], call.args[7], call.args[3]);
    const Conv& c = b.p.c;
    const int64_t item = item_size(call.args[3].dtype), image = c.positions() * b.row() * item;
    b.dx = call.args[0].dtype != NONE;
    bool padded = false;
    int64_t inputs = c.groups * c.channels * item;
    for (const Axis& axis : c.axis) inputs *= axis.in, padded |= axis.pad || (axis.out - 1) * axis.stride + (axis.size - 1) * axis.dilation >= axis.in;
    const int64_t lanes = VECTOR_BYTES / item, saved = c.positions() / most<int64_t>(1, b.p.positions());
    b.by_entries = saved >= 4 && c.groups == 1 && !padded && c.axis[2].dilation == 1 && inputs <= ENTRY_IMAGE &&
                   c.taps() <= MAX_TAPS && c.axis[2].size * c.channels % lanes == 0 && c.filters % lanes == 0;
    b.parts = most<int64_t>(1, least(c.batch, parts_for(c.work() / (b.by_entries ? saved : 1))));
    b.images = most<int64_t>(1, least(ceil_div(c.batch, b.parts), GRADIENT_CACHE / most<int64_t>(1, image)));
    b.sums = part_count((b.size() + b.row()) * b.parts * item, ceil_div(b.size() + b.row(), 1024));
    if (b.by_entries) {
        b.packed = b.dx ? b.size() * item : 0;
        b.scratch = b.size() * item + (item == 4 ? Entries<float>::bytes(c.filters, b.p.positions()) : Entries<double>::bytes(c.filters, b.p.positions()));
        return b;
    }
    b.packed = b.dx ? packed_size(c, c.filters, c.channels, VECTOR_BYTES / item) * item : 0;
    b.scratch = b.images * image;
    return b;
}

inline const char* conv_pool_grad_check(const Call& call) {
    if (call.arg_count != 8) return "conv_pool_grad: expected dx?, dw, dbias?, g, y, argmax, x, w";
    const View *a = call.args, *dx = optional(call, 0);
    if (a[5].dtype == NONE) return "conv_pool_grad: expected argmax";
    if (const char* wrong = check_conv_pool(call, a[6], a[7], a[3], a[5], optional(call, 2))) return wrong;
    const View pairs[3][2] = {{dx ? *dx : a[6], a[6]}, {a[1], a[7]}, {a[4], a[3]}};
    for (auto& pair : pairs)
        if (pair[0].dtype != a[6].dtype || !same_shape(pair[0], pair[1]) || !contiguous(pair[0]))
            return "conv_pool_grad: expected dx like x, dw like w, y like g";
    return nullptr;
}

inline void conv_pool_grad_plan(const Call& call, Plan& plan) {
    const ConvPoolGrad b = conv_pool_grad_of(call);
    plan = {};
    if (b.dx) plan.parts[plan.phases++] = b.packing();
    plan.parts[plan.phases++] = b.parts;
    plan.parts[plan.phases++] = b.sums;
    plan.scratch = b.scratch;
    plan.shared = b.packed + b.parts * (b.size() + b.row()) * item_size(call.args[3].dtype);
}

template <class T> void conv_pool_grad_run(const Call& call, int phase, int64_t part, char* scratch, char* shared) {
    T* const z = (T*)scratch;
    const ConvPoolGrad b = conv_pool_grad_of(call);
    const ConvPool& p = b.p;
    const Conv& c = p.c;
    T* const pieces = (T*)(shared + b.packed);
    const int64_t length = b.size() + b.row(), depth = c.taps() * c.channels;
    if (b.dx && phase-- == 0) {
        if (!b.by_entries) return pack_filter((T*)shared, data<const T>(call, 7), c, true, part);
        const Range mine = part_of(c.filters / WIDTH<T>, b.packing(), part);
        const int64_t first = mine.begin * WIDTH<T>, rows = (mine.end - mine.begin) * WIDTH<T>;
        return pack((T*)shared + first * depth, depth, Matrix<T>{data<const T>(call, 7) + first, 1, c.filters}, rows, depth);
    }
    if (phase == 1) {
        const Range range = part_of(length, b.sums, part);
        return sum_pieces(pieces, b.parts, b.size(), b.row(), range, data<T>(call, 1), data<T>(call, 2));
    }
    const T *g = data<const T>(call, 3), *y = data<const T>(call, 4), *x = data<const T>(call, 6);
    const uint8_t* argmax = data<const uint8_t>(call, 5);
    T* const dw = pieces + part * length;
    const Range mine = part_of(c.batch, b.parts, part);
    const Steps xs = input_steps(c), zs = output_steps(c);
    const PoolTaps taps(p, zs);
    const int64_t pooled = p.positions() * b.row();
    if (b.by_entries) {
        Steps to_x = xs;
        for (int a = 0; a < 3; a++) to_x.of[a + 1] *= c.axis[a].stride;
        const PoolTaps places(p, to_x);
        Patch patch{c.axis[0].size * c.axis[1].size, c.axis[2].size * c.channels, {}};
        for (int64_t r = 0; r < patch.lines; r++)
            patch.line[r] = r / c.axis[1].size * c.axis[0].dilation * xs.of[1] + r % c.axis[1].size * c.axis[1].dilation * xs.of[2];
        T* const sums = z;  // a filter's together
        Entries<T> entries((char*)(sums + b.size()), c.filters, p.positions());
        __builtin_memset(sums, 0, b.size() * sizeof(T));
        __builtin_memset(dw + b.size(), 0, b.row() * sizeof(T));
        for (int64_t n = mine.begin; n < mine.end; n++) {
            T* const dx = b.dx ? data<T>(call, 0) + n * xs.of[0] : nullptr;
            if (dx) __builtin_memset(dx, 0, xs.of[0] * sizeof(T));
            entries.list(p, to_x, places.offset, g + n * pooled, y + n * pooled, argmax + n * pooled, dw + b.size());
            patch_tiles<T>(entries, patch, x + n * xs.of[0], sums, dx, (const T*)shared);
        }
        return pack(dw, c.filters, Matrix<T>{sums, 1, depth}, depth, c.filters);
    }
    __builtin_memset(dw, 0, length * sizeof(T));
    bool exact = true;
    for (int a = 0; a < 3; a++) exact &= p.stride[a] == p.size[a];
    for (int64_t n = mine.begin; n < mine.end; n += b.images) {
        Box box = whole(c);
        box.images = {0, least(b.images, mine.end - n)};
        for (int64_t m = 0; m < box.images.end; m++) {
            const int64_t at = (n + m) * pooled;
            auto run = exact ? p.taps() == 4 ? unpool<T, false, 4> : unpool<T, false, 0> : unpool<T, true, 0>;
            run(p, zs, taps.offset, g + at, y + at, argmax + at, z + m * zs.of[0], dw + b.size());
        }
        for (int64_t group = 0; group < (c.depthwise() ? 1 : c.groups); group++)
            correlate_taps<T>(c, box, x + n * xs.of[0], xs, z, zs, dw, group, {0, c.channels},
                              {0, c.depthwise() ? c.groups : c.filters});
        if (!b.dx) continue;
        for (int a = 0; a < 3; a++) box.axis[a].end = c.axis[a].in;
        correlate_back<T>(c, box, data<T>(call, 0) + n * xs.of[0], xs, z, zs, (const T*)shared);
    }
}

const Kernel conv_pool_grad_kernel = {"conv_pool_grad", conv_pool_grad_check, conv_pool_grad_plan,
                                      run_floats<conv_pool_grad_run<float>, conv_pool_grad_run<double>>};
