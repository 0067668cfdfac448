#include "program.h"

#include <algorithm>
#include <stdexcept>

#include "isa.h"

int64_t item_size(int64_t dtype) {
    constexpr int64_t sizes[] = {
#define DTYPE(NAME, NUMPY, TYPE, USE) sizeof(TYPE),
#include "codes.def"
    };
    return dtype >= BOOL && dtype <= F64 ? sizes[dtype] : 0;
}

Task::Task(const Kernel& kernel, const Call& call) : kernel(&kernel), call(call), plan{} {
    if (const char* wrong = kernel.check(call)) throw std::invalid_argument(wrong);
    kernel.plan(call, plan);
}

void Task::prepare(uint64_t apart) {
    prepared.resize(plan.prepared);
    call.prepared = prepared.data();
    kernel->prepare(call, apart, prepared.data());
}

uint64_t apart(const Call& call, int64_t outputs, const Argument* places, const std::vector<int64_t>& turns) {
    struct Extent {
        uintptr_t low, high;
        bool meets(const Extent& other) const { return low < other.high && other.low < high; }
    };
    constexpr int MOST = 64;
    Extent first[MOST], all[MOST];  // in the loops' first turns and in all of them
    const int count = std::min(call.arg_count, MOST);
    for (int i = 0; i < count; i++) {
        const View& view = call.args[i];
        const uintptr_t data = places ? uintptr_t(places[i].offset) : reinterpret_cast<uintptr_t>(view.data);
        Extent extent{data, data + uintptr_t(item_size(view.dtype))};
        bool empty = view.dtype == NONE;
        for (int j = 0; j < view.rank; j++) {
            const int64_t reach = (view.shape[j] - 1) * view.stride[j] * item_size(view.dtype);
            (reach < 0 ? extent.low : extent.high) += uintptr_t(reach);
            empty |= view.shape[j] == 0;
        }
        first[i] = empty ? Extent{0, 0} : extent;
        for (size_t j = 0; places && j < places[i].steps.size(); j++) {
            const int64_t reach = (turns[j] - 1) * places[i].steps[j];
            (reach < 0 ? extent.low : extent.high) += uintptr_t(reach);
        }
        all[i] = empty ? Extent{0, 0} : extent;
    }
    uint64_t bits = 0;
    for (int64_t i = 0; i < std::min<int64_t>(outputs, count); i++)
        for (int64_t j = outputs; j < count; j++) {
            if (places && places[i].slot != places[j].slot) continue;
            const bool together = !places || places[i].steps == places[j].steps;
            if (together ? first[i].meets(first[j]) : all[i].meets(all[j])) bits |= uint64_t(1) << i | uint64_t(1) << j;
        }
    return bits;
}

namespace {

struct StagePhase {
    const Task* tasks;
    const Stage::Unit* units;
    int phase;
};

void run_part(const void* context, int64_t number, char* scratch) {
    const auto [tasks, units, phase] = *static_cast<const StagePhase*>(context);
    const Task& task = tasks[units[number].task];
    task.kernel->run(task.call, phase, units[number].part, scratch, task.shared);
}

std::string text(int64_t number) { return std::to_string(number); }

// What is wrong with an argument of a slot of so many bytes, inside loops of so many turns; empty where every element
// lies inside it each time.
std::string flaw(const Argument& argument, int64_t bytes, const std::vector<int64_t>& turns) {
    const View& view = argument.view;
    const int64_t item = item_size(view.dtype);
    int64_t size = item, low = argument.offset, high = argument.offset;
    bool empty = false;
    const auto overflows = [&](int64_t span) {
        return __builtin_add_overflow(span < 0 ? low : high, span, span < 0 ? &low : &high);
    };
    for (int i = 0; i < view.rank; i++) {
        int64_t span;
        if (view.shape[i] < 0) return "got " + text(view.shape[i]) + " as a size, expected sizes >= 0";
        empty |= view.shape[i] == 0;
        if (__builtin_mul_overflow(size, std::max<int64_t>(view.shape[i], 1), &size) ||
            __builtin_mul_overflow(std::max<int64_t>(view.shape[i], 1) - 1, view.stride[i], &span) ||
            __builtin_mul_overflow(span, item, &span) || overflows(span))
            return "got an extent that overflows, expected one inside its slot";
    }
    for (size_t i = 0; i < argument.steps.size(); i++) {
        int64_t span;
        if (i >= turns.size()) return "got " + text(argument.steps.size()) + " steps, expected one for each loop around it";
        if (argument.steps[i] % item) return "got step " + text(argument.steps[i]) + ", expected a multiple of " + text(item);
        if (__builtin_mul_overflow(turns[i] - 1, argument.steps[i], &span) || overflows(span))
            return "got an extent that overflows, expected one inside its slot";
    }
    if (argument.offset % item) return "got offset " + text(argument.offset) + ", expected a multiple of " + text(item);
    if (argument.offset < 0 || argument.offset > bytes || (!empty && (low < 0 || high > bytes - item)))
        return "got elements at bytes " + text(low) + " to " + text(high) + ", expected them inside slot " +
               text(argument.slot) + " of " + text(bytes) + " bytes";
    return "";
}

}  // namespace

Stage::Stage(const Task* tasks, int64_t count) : tasks(tasks) {
    for (int phase = 0;; phase++) {
        std::vector<Unit> units;
        bool any = false;
        for (int64_t task = 0; task < count; task++) {
            if (phase >= tasks[task].plan.phases) continue;
            any = true;
            for (int64_t part = 0; part < tasks[task].plan.parts[phase]; part++) units.push_back({task, part});
        }
        if (!any) return;
        const auto place = [&](const Unit& unit) { return (double(unit.part) + 0.5) / double(tasks[unit.task].plan.parts[phase]); };
        std::stable_sort(units.begin(), units.end(), [&](const Unit& a, const Unit& b) { return place(a) < place(b); });
        phases.push_back(std::move(units));
    }
}

bool Stage::run(Team& team, bool interruptible) const {
    for (size_t phase = 0; phase < phases.size(); phase++) {
        const StagePhase context{tasks, phases[phase].data(), int(phase)};
        if (!team.run({run_part, &context, int64_t(phases[phase].size())}, interruptible)) return false;
    }
    return true;
}

Program::Program(const std::vector<int64_t>& slot_bytes)
    : table(isa_table()), memory(arena_memory), shared(scratch_memory) {
    if (slot_bytes.empty()) throw std::invalid_argument("Program: slot_bytes: got [], expected at least the arena's size");
    for (const int64_t bytes : slot_bytes) {
        if (bytes < 0) throw std::invalid_argument("Program: slot_bytes: got " + text(bytes) + ", expected sizes >= 0");
        all_slots.push_back({bytes, 1, false});
    }
    memory.reserve(size_t(slot_bytes[0]), "Program: arena");
}

void Program::add(const std::string& name, int64_t outputs, const std::vector<Argument>& args, std::vector<int64_t> ints,
                  std::vector<double> reals, int64_t stage) {
    const Kernel& kernel = find_kernel(table, name.c_str());
    if (outputs < 0 || outputs > int64_t(args.size()))
        throw std::invalid_argument(name + ": outputs: got " + text(outputs) + ", expected 0 to " + text(args.size()));
    Recorded call{{}, {}, std::move(ints), std::move(reals), stage, 0, 0};
    std::vector<Slot> slots = all_slots;
    std::vector<int64_t> turns;
    for (const size_t loop : opened) turns.push_back(loops[loop].times);
    for (size_t i = 0; i < args.size(); i++) {
        const Argument& argument = args[i];
        call.views.push_back(argument.view);
        call.places.emplace_back(argument.slot, argument.offset);
        if (argument.view.dtype == NONE) continue;
        const std::string place = name + ": args[" + text(i) + "]: ";
        if (argument.slot < 0 || argument.slot >= int64_t(slots.size()))
            throw std::invalid_argument(place + "got slot " + text(argument.slot) + ", expected 0 to " +
                                        text(slots.size() - 1));
        Slot& slot = slots[argument.slot];
        const std::string wrong = flaw(argument, slot.bytes, turns);
        if (!wrong.empty()) throw std::invalid_argument(place + wrong);
        slot.alignment = std::max(slot.alignment, item_size(argument.view.dtype));
        slot.written |= int64_t(i) < outputs;
    }
    Task task(kernel, {call.views.data(), int32_t(call.views.size()), call.ints.data(), int32_t(call.ints.size()),
                       call.reals.data(), int32_t(call.reals.size())});
    for (size_t i = 0; i < args.size(); i++)
        for (size_t j = 0; j < args[i].steps.size(); j++)
            if (args[i].steps[j]) loops[opened[j]].moving.emplace_back(&call.views[i].data, args[i].steps[j]);
    const bool same_stage = !recorded.empty() && recorded.back().stage == stage;
    call.shared_at = same_stage ? recorded.back().shared_at + (tasks.back().plan.shared + 63) / 64 * 64 : 0;
    shared_bytes = std::max(shared_bytes, call.shared_at + task.plan.shared);
    if (task.plan.scratch > scratch_bytes) {
        scratch_bytes = task.plan.scratch;
        largest = kernel.name;
    }
    if (kernel.prepare) {
        call.apart = ::apart(task.call, outputs, args.data(), turns);
        task.prepare(overlapping ? EVERY_ARGUMENT : call.apart);
    }
    all_slots = std::move(slots);
    stages.clear();
    tasks.push_back(std::move(task));
    recorded.push_back(std::move(call));
}

void Program::begin_loop(int64_t times) {
    if (times < 1) throw std::invalid_argument("Program.begin_loop: times: got " + text(times) + ", expected >= 1");
    stages.clear();
    opened.push_back(loops.size());
    loops.push_back({size(), size(), times, int64_t(opened.size()) - 1, {}});
}

void Program::end_loop() {
    if (opened.empty()) throw std::invalid_argument("Program.end_loop: got no loop that has begun");
    loops[opened.back()].end = size();
    opened.pop_back();
}

bool Program::begin() {
    static std::atomic<uint32_t> threads{0};
    static thread_local const uint32_t thread = ++threads;
    const uint64_t self = fork_generation() << 32 | thread;
    uint64_t other = running;
    if (other == self) throw std::logic_error("Program.run: a signal handler runs the program that it interrupted");
    if (other != 0 && other >> 32 == fork_generation()) return false;
    return running.compare_exchange_strong(other, self);
}

bool Program::overlaps(const std::vector<char*>& bases, int64_t times, int64_t moving) const {
    struct Stretch {
        const char *begin, *end;
        bool written;
    };
    std::vector<Stretch> stretches;
    for (size_t i = 0; i < bases.size(); i++) {
        const int64_t bytes = all_slots[i].bytes * (moving && int64_t(i) == moving ? times : 1);
        if (bases[i] && bytes) stretches.push_back({bases[i], bases[i] + bytes, all_slots[i].written});
    }
    std::sort(stretches.begin(), stretches.end(), [](const Stretch& a, const Stretch& b) { return a.begin < b.begin; });
    const char *read_to = nullptr, *written_to = nullptr;
    for (const Stretch& s : stretches) {
        if (s.begin < written_to || (s.written && s.begin < read_to)) return true;
        (s.written ? written_to : read_to) = std::max(s.written ? written_to : read_to, s.end);
    }
    return false;
}

void Program::bind(const std::vector<char*>& bases, int64_t start, int64_t stop, int64_t times, int64_t moving) {
    shared.reserve(shared_bytes, largest);
    if (overlaps(bases, times, moving) != overlapping) {
        overlapping = !overlapping;
        for (size_t i = 0; i < tasks.size(); i++)
            if (tasks[i].kernel->prepare) tasks[i].prepare(overlapping ? EVERY_ARGUMENT : recorded[i].apart);
    }
    for (int64_t i = start; i < stop; i++) {
        Recorded& call = recorded[i];
        tasks[i].shared = shared.data() + call.shared_at;
        for (size_t j = 0; j < call.views.size(); j++) {
            if (call.views[j].dtype == NONE) continue;
            const auto [slot, offset] = call.places[j];
            if (!bases[slot])
                throw std::invalid_argument("Program.run: buffers[" + text(slot - 1) + "]: got None, but " +
                                            tasks[i].kernel->name + " uses it");
            call.views[j].data = bases[slot] + offset;
        }
    }
}

// The calls [first, end), which are inside so many loops, as stages and loops.
std::vector<Program::Planned> Program::planned(int64_t first, int64_t end, int64_t depth) const {
    const auto loop_at = [&](int64_t i) -> const Loop* {
        for (const Loop& loop : loops)
            if (loop.first == i && loop.end > i && loop.depth == depth) return &loop;
        return nullptr;
    };
    std::vector<Planned> all;
    for (int64_t i = first, next; i < end; i = next) {
        const Loop* loop = loop_at(i);
        next = loop ? loop->end : i + 1;
        while (!loop && next < end && recorded[next].stage == recorded[i].stage && !loop_at(next)) next++;
        all.push_back({i, next, Stage(&tasks[i], loop ? 0 : next - i), loop, {}});
        if (loop) all.back().body = planned(i, next, depth + 1);
    }
    return all;
}

bool Program::run(const std::vector<Planned>& all, int64_t start, int64_t stop, Team& team) const {
    for (const Planned& part : all) {
        const int64_t first = std::max(start, part.first), end = std::min(stop, part.end);
        if (first >= end) continue;
        bool finished = true;
        if (part.loop) {
            int64_t turns = 0;
            for (; finished && turns < part.loop->times; turns++) {
                finished = run(part.body, start, stop, team);
                for (const auto& [data, step] : part.loop->moving) *data += step;
            }
            for (const auto& [data, step] : part.loop->moving) *data -= step * turns;
        } else if (first == part.first && end == part.end) {
            finished = part.stage.run(team, end <= commit);
        } else {
            finished = Stage(&tasks[first], end - first).run(team, end <= commit);
        }
        if (!finished) return false;
    }
    return true;
}

bool Program::run(int64_t start, int64_t stop, int64_t times, int64_t moving, bool (*interrupted)()) {
    bool whole = opened.empty();
    for (const Loop& loop : loops) whole &= loop.end <= start || loop.first >= stop || (start <= loop.first && loop.end <= stop);
    if (!whole) throw std::invalid_argument("Program.run: got a part of a loop, expected all of it");
    bool parallel = false;
    std::vector<char**> moved;
    for (int64_t i = start; i < stop; i++) {
        for (int phase = 0; phase < tasks[i].plan.phases; phase++) parallel |= tasks[i].plan.parts[phase] > 1;
        for (size_t j = 0; moving && j < recorded[i].views.size(); j++)
            if (recorded[i].places[j].first == moving) moved.push_back(&recorded[i].views[j].data);
    }
    if (stages.empty()) stages = planned(0, size(), 0);
    Team team(parallel, scratch_bytes, largest, interrupted);
    for (int64_t time = 0; time < times; time++) {
        if (!run(stages, start, stop, team)) return false;
        for (char** data : moved) *data += all_slots[size_t(moving)].bytes;
    }
    return true;
}
