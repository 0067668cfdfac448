// The Python module layerwise.backends._native: kernels called one by one, and recorded programs of them.
// Everything that comes from Python is checked here or in program.cpp; kernels get arguments that they have accepted.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "isa.h"
#include "program.h"
#include "threads.h"

namespace nb = nanobind;

namespace {

constexpr int64_t MAX_ARGS = 64;

// Names an argument in errors: "gemm: args[2]: got ..., expected ...".
struct Where {
    const char* function;
    const char* argument;
    int64_t index = -1;

    std::string text(const std::string& wrong) const {
        const std::string at = index < 0 ? "" : "[" + std::to_string(index) + "]";
        return std::string(function) + ": " + argument + at + ": " + wrong;
    }
    [[noreturn]] void type_error(const std::string& wrong) const { throw nb::type_error(text(wrong).c_str()); }
    [[noreturn]] void value_error(const std::string& wrong) const { throw nb::value_error(text(wrong).c_str()); }
    // Python's error, whose text may be of use, with the place before it.
    [[noreturn]] void rethrow() const {
        nb::python_error error;
        if (!error.matches(PyExc_TypeError) && !error.matches(PyExc_ValueError) && !error.matches(PyExc_BufferError) &&
            !error.matches(PyExc_OverflowError))
            throw error;
        const std::string wrong = nb::cast<std::string>(nb::str(error.value()));
        if (error.matches(PyExc_TypeError)) type_error(wrong);
        value_error(wrong);
    }
};

std::string type_of(nb::handle object) { return Py_TYPE(object.ptr())->tp_name; }

// The items of a list or tuple.
class Items {
public:
    Items(nb::handle sequence, const Where& where) : sequence(sequence) {
        if (!PyList_Check(sequence.ptr()) && !PyTuple_Check(sequence.ptr()))
            where.type_error("got " + type_of(sequence) + ", expected a list or tuple");
    }
    int64_t size() const { return PySequence_Fast_GET_SIZE(sequence.ptr()); }
    nb::handle operator[](int64_t i) const { return PySequence_Fast_GET_ITEM(sequence.ptr(), i); }

private:
    nb::handle sequence;
};

template <class N, auto AS> N to_number(nb::handle object, const Where& where) {
    const N value = AS(object.ptr());
    if (value == -1 && PyErr_Occurred()) where.rethrow();
    return value;
}

template <class N, auto AS> std::vector<N> to_numbers(nb::handle sequence, Where where) {
    const Items items(sequence, where);
    std::vector<N> numbers(items.size());
    for (where.index = 0; where.index < items.size(); where.index++)
        numbers[where.index] = to_number<N, AS>(items[where.index], where);
    return numbers;
}

constexpr auto to_int = to_number<int64_t, PyLong_AsLongLong>;
constexpr auto to_ints = to_numbers<int64_t, PyLong_AsLongLong>;
constexpr auto to_reals = to_numbers<double, PyFloat_AsDouble>;

// The memory of Python objects, held until this goes.
class Buffers {
public:
    ~Buffers() {
        for (Py_buffer& buffer : held) PyBuffer_Release(&buffer);
    }
    void reserve(int64_t count) { held.reserve(count); }
    const Py_buffer& hold(nb::handle object, int flags, const Where& where) {
        held.emplace_back();
        if (PyObject_GetBuffer(object.ptr(), &held.back(), flags) != 0) {
            held.pop_back();
            where.rethrow();
        }
        return held.back();
    }

private:
    std::vector<Py_buffer> held;
};

constexpr char NATIVE_ORDER = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>';

int32_t dtype_of(const Py_buffer& buffer, const Where& where) {
    std::string format = buffer.format ? buffer.format : "B";
    if (format.size() == 2 && (format[0] == '=' || format[0] == '@' || format[0] == NATIVE_ORDER)) format.erase(0, 1);
    const size_t prefix = format[0] == '=' || format[0] == '@';  // native order all the same
    const char code = format.size() == prefix + 1 ? format[prefix] : 0;
    switch (code) {
        case '?': return BOOL;
        case 'B': return U8;
        case 'i': case 'l': case 'q': return buffer.itemsize == 4 ? I32 : I64;
        case 'I': case 'L': if (buffer.itemsize == 4) return U32; break;
        case 'f': return F32;
        case 'd': return F64;
    }
    where.type_error("got an array of format '" + format +
                     "', expected native bool, uint8, int32, uint32, int64, float32 or float64");
}

View to_view(const Py_buffer& buffer, const Where& where) {
    View view{static_cast<char*>(buffer.buf), dtype_of(buffer, where), buffer.ndim, {}, {}};
    if (buffer.ndim > MAX_RANK) where.value_error("got " + std::to_string(buffer.ndim) + " axes, expected at most 8");
    if (reinterpret_cast<uintptr_t>(buffer.buf) % buffer.itemsize) where.value_error("got an unaligned array");
    for (int i = 0; i < buffer.ndim; i++) {
        view.shape[i] = buffer.shape[i];
        view.stride[i] = buffer.strides[i] / buffer.itemsize;
        if (buffer.strides[i] % buffer.itemsize)
            where.value_error("got a stride of " + std::to_string(buffer.strides[i]) + " bytes, expected a multiple of " +
                              std::to_string(buffer.itemsize));
    }
    return view;
}

// Ctrl-C: whether Python has an exception to raise. Asked without the GIL, by the thread that Python called from.
bool interrupted() {
    nb::gil_scoped_acquire gil;
    return PyErr_CheckSignals() != 0;
}

// Memory that the calls of one thread share across their phases. A signal handler may call while a call runs, so who
// uses it takes it away.
class Shared {
public:
    Shared() : mine(std::move(spare())) {}
    ~Shared() { spare() = std::move(mine); }
    Buffer& operator*() { return mine; }

private:
    static Buffer& spare() {
        static thread_local Buffer buffer(scratch_memory);
        return buffer;
    }
    Buffer mine;
};

void call_kernel(const char* name, int64_t outputs, nb::handle args, nb::handle ints, nb::handle reals) {
    const Kernel& kernel = find_kernel(isa_table(), name);
    const Items items(args, {name, "args"});
    if (items.size() > MAX_ARGS) Where{name, "args"}.value_error("got more than 64");
    if (outputs < 0 || outputs > items.size())
        Where{name, "outputs"}.value_error("got " + std::to_string(outputs) + ", expected at most " +
                                           std::to_string(items.size()));
    const std::vector<int64_t> whole = to_ints(ints, {name, "ints"});
    const std::vector<double> real = to_reals(reals, {name, "reals"});
    Buffers buffers;
    buffers.reserve(items.size());
    View views[MAX_ARGS];
    for (int64_t i = 0; i < items.size(); i++) {
        const Where where{name, "args", i};
        if (items[i].is_none())
            views[i] = {nullptr, NONE, 0, {}, {}};
        else
            views[i] = to_view(buffers.hold(items[i], i < outputs ? PyBUF_RECORDS : PyBUF_RECORDS_RO, where), where);
    }
    Task task(kernel, {views, int32_t(items.size()), whole.data(), int32_t(whole.size()), real.data(),
                       int32_t(real.size())});
    if (kernel.prepare) task.prepare(apart(task.call, outputs));
    Shared shared;
    (*shared).reserve(task.plan.shared, name);
    task.shared = (*shared).data();
    bool parallel = false;
    for (int phase = 0; phase < task.plan.phases; phase++) parallel |= task.plan.parts[phase] > 1;
    Team team(parallel, task.plan.scratch, name, interrupted);
    const Stage stage(&task, 1);
    bool finished;
    if (parallel) {
        nb::gil_scoped_release release;
        finished = stage.run(team, true);
    } else {  // over in less time than others would need to notice
        finished = stage.run(team, false);
    }
    if (!finished) throw nb::python_error();
}

// One thread's time with a program.
class Turn {
public:
    explicit Turn(Program& program) : program(program) {
        while (!program.begin()) {
            if (PyErr_CheckSignals() != 0) throw nb::python_error();
            nb::gil_scoped_release release;
            std::this_thread::sleep_for(std::chrono::microseconds(20));
        }
    }
    ~Turn() { program.end(); }

private:
    Program& program;
};

Argument to_argument(nb::handle object, const Where& where) {
    Argument argument;
    if (object.is_none()) return argument;
    const Items fields(object, where);
    if (fields.size() != 5 && fields.size() != 6)
        where.value_error("got " + std::to_string(fields.size()) +
                          " fields, expected (slot, byte offset, dtype code, shape, strides) and maybe steps");
    argument.slot = to_int(fields[0], where);
    argument.offset = to_int(fields[1], where);
    const int64_t dtype = to_int(fields[2], where);
    if (!item_size(dtype)) where.value_error("got dtype code " + std::to_string(dtype) + ", expected 0 to 6");
    const Items shape(fields[3], where), strides(fields[4], where);
    if (shape.size() > MAX_RANK || strides.size() != shape.size())
        where.value_error("got " + std::to_string(shape.size()) + " sizes and " + std::to_string(strides.size()) +
                          " strides, expected as many, at most 8");
    argument.view.dtype = int32_t(dtype);
    argument.view.rank = int32_t(shape.size());
    for (int i = 0; i < argument.view.rank; i++) {
        argument.view.shape[i] = to_int(shape[i], where);
        argument.view.stride[i] = to_int(strides[i], where);
    }
    if (fields.size() == 6) argument.steps = to_ints(fields[5], where);
    return argument;
}

void add(Program& program, const std::string& kernel, int64_t outputs, nb::handle args, nb::handle ints, nb::handle reals,
         int64_t stage) {
    const Items items(args, {kernel.c_str(), "args"});
    std::vector<Argument> arguments;
    for (int64_t i = 0; i < items.size(); i++)
        arguments.push_back(to_argument(items[i], {kernel.c_str(), "args", i}));
    std::vector<int64_t> whole = to_ints(ints, {kernel.c_str(), "ints"});
    std::vector<double> real = to_reals(reals, {kernel.c_str(), "reals"});
    Turn turn(program);
    program.add(kernel, outputs, arguments, std::move(whole), std::move(real), stage);
}

void run(Program& program, nb::handle buffers, int64_t start, nb::handle end, int64_t times, int64_t moving) {
    Turn turn(program);
    const int64_t stop = end.is_none() ? program.size() : to_int(end, {"Program.run", "stop"});
    if (start < 0 || stop < start || stop > program.size())
        throw nb::value_error(("Program.run: got calls " + std::to_string(start) + " to " + std::to_string(stop) +
                               ", expected some of 0 to " + std::to_string(program.size())).c_str());
    const Items items(buffers, {"Program.run", "buffers"});
    const std::vector<Program::Slot>& slots = program.slots();
    if (times < 0) throw nb::value_error(("Program.run: times: got " + std::to_string(times) + ", expected >= 0").c_str());
    if (moving < 0 || moving >= int64_t(slots.size()))
        throw nb::value_error(("Program.run: moving: got slot " + std::to_string(moving) + ", expected 1 to " +
                               std::to_string(slots.size() - 1) + ", or 0 for none").c_str());
    if (items.size() != int64_t(slots.size()) - 1)
        Where{"Program.run", "buffers"}.value_error("got " + std::to_string(items.size()) + ", expected " +
                                                    std::to_string(slots.size() - 1));
    Buffers held;
    held.reserve(items.size());
    std::vector<char*> bases(slots.size());
    bases[0] = program.arena().data();
    for (int64_t i = 0; i < items.size(); i++) {
        if (items[i].is_none()) continue;
        const Where where{"Program.run", "buffers", i};
        const Program::Slot& slot = slots[i + 1];
        const Py_buffer& buffer = held.hold(items[i], slot.written ? PyBUF_WRITABLE : PyBUF_SIMPLE, where);
        int64_t bytes = slot.bytes;
        if (i + 1 == moving && __builtin_mul_overflow(bytes, times, &bytes)) where.value_error("got too many times");
        if (buffer.len < bytes)
            where.value_error("got " + std::to_string(buffer.len) + " bytes, expected " + std::to_string(bytes));
        if (reinterpret_cast<uintptr_t>(buffer.buf) % slot.alignment) where.value_error("got an unaligned buffer");
        bases[i + 1] = static_cast<char*>(buffer.buf);
    }
    program.bind(bases, start, stop, times, moving);
    bool finished;
    {
        nb::gil_scoped_release release;
        finished = program.run(start, stop, times, moving, interrupted);
    }
    if (!finished) throw nb::python_error();
}

// The arena as a Python buffer, which keeps the program alive.
int arena_buffer(PyObject* self, Py_buffer* view, int flags) {
    const Program& program = *nb::inst_ptr<Program>(self);
    static char nothing;
    char* data = program.arena().size() ? program.arena().data() : &nothing;
    return PyBuffer_FillInfo(view, self, data, Py_ssize_t(program.arena().size()), 0, flags);
}

// What codes.def and instructions.def say and which kernels are updates, for Python.
void add_tables(nb::module_& m) {
    nb::dict dtypes, reductions, activations, limits, instructions;
#define DTYPE(NAME, NUMPY, TYPE, USE) dtypes[NUMPY] = nb::make_tuple(int(NAME), #USE);
#define REDUCTION(NAME, NUMPY) reductions[NUMPY] = int(NAME);
#define ACTIVATION(NAME, PYTHON) activations[PYTHON] = int(NAME);
#define LIMIT(NAME, MOST) limits[#NAME] = int(NAME);
#include "codes.def"
    const auto add = [&](const char* name, const char* kind, int operands, const char* takes, const char* function) {
        instructions[name] = nb::make_tuple(nb::len(instructions), kind, operands, takes, function);
    };
#define INSTRUCTION(NAME, OPERANDS, TAKES, COST, FUNCTION, ...) add(#NAME, "number", OPERANDS, #TAKES, FUNCTION);
#define TEST(NAME, OPERANDS, TAKES, COST, FUNCTION, ...) add(#NAME, "truth", OPERANDS, #TAKES, FUNCTION);
#define MOVE(NAME, OPERANDS) add(#NAME, "move", OPERANDS, "ANY", "");
#define ROW(NAME, OPERANDS) add(#NAME, "row", OPERANDS, "ANY", "");
#define TOTAL(NAME, OPERANDS) add(#NAME, "total", OPERANDS, "ANY", "");
#include "instructions.def"
    m.attr("DTYPES") = dtypes, m.attr("REDUCTIONS") = reductions, m.attr("ACTIVATIONS") = activations;
    m.attr("LIMITS") = limits, m.attr("INSTRUCTIONS") = instructions;
    nb::dict updates;
    for (int i = 0; i < isa_table().count; i++)
        if (isa_table().kernels[i].slots >= 0) updates[isa_table().kernels[i].name] = isa_table().kernels[i].slots;
    m.attr("UPDATES") = updates;
}

PyType_Slot program_slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(arena_buffer)}, {0, nullptr}};

}  // namespace

NB_MODULE(_native, m) {
    isa_tables();  // a processor without any is told when the module loads
    set_thread_count(nb::cast<int>(nb::module_::import_("layerwise.config").attr("num_threads")()));
    m.doc() = "Kernels in C++, and recorded programs of them. Use layerwise.backends; this is what it is built on.";
    add_tables(m);
    m.def("call", call_kernel, nb::arg("kernel"), nb::arg("outputs"), nb::arg("args"), nb::arg("ints") = nb::tuple(),
          nb::arg("reals") = nb::tuple(),
          "Run one kernel on arrays (or None): the first `outputs` of `args` are written, the others read.");
    m.def("kernels", [] {
        std::vector<std::string> names;
        for (int i = 0; i < isa_table().count; i++) names.push_back(isa_table().kernels[i].name);
        return names;
    }, "The kernels' names.");
    m.def("num_threads", thread_count, "How many threads a kernel may use.");
    m.def("set_num_threads", [](int count) {
        if (count < 1) throw nb::value_error(("set_num_threads: got " + std::to_string(count) + ", expected >= 1").c_str());
        nb::gil_scoped_release release;
        set_thread_count(count);
    }, nb::arg("count"));
    m.def("isa", [] { return std::string(isa_table().isa); }, "The instruction set of the kernels in use.");
    m.def("isas", [] {
        std::vector<std::string> names;
        for (const KernelTable* table : isa_tables()) names.push_back(table->isa);
        return names;
    }, "The instruction sets that this processor has kernels for.");
    m.def("set_isa", set_isa, nb::arg("name"), "Use another copy of the kernels from here on; programs keep theirs.");
    m.def("memory_stats", [] {
        nb::dict stats;
        stats["arena"] = arena_memory.load();
        stats["scratch"] = scratch_memory.load();
        stats["peak"] = peak_memory.load();
        return stats;
    }, "Bytes held now by programs' arenas and as scratch, and the most that both have been together.");

    nb::class_<Program>(m, "Program", nb::type_slots(program_slots),
                        "Calls of kernels that were checked once and run without Python. slot_bytes[0] is the arena's "
                        "size, the others are sizes of the buffers that every run brings.")
        .def(nb::init<const std::vector<int64_t>&>(), nb::arg("slot_bytes"))
        .def("add", add, nb::arg("kernel"), nb::arg("outputs"), nb::arg("args"), nb::arg("ints") = nb::tuple(),
             nb::arg("reals") = nb::tuple(), nb::arg("stage") = 0,
             "Append a call. args: None or (slot, byte offset, dtype code, shape, strides in elements), and inside loops "
             "maybe the bytes to go on by in each turn of each, outermost first. Neighbouring calls of the same stage "
             "must not depend on each other.")
        .def("begin_loop", [](Program& program, int64_t times) { Turn turn(program); program.begin_loop(times); },
             nb::arg("times"), "What is added until `end_loop` is run so many times, arguments going on by their steps.")
        .def("end_loop", [](Program& program) { Turn turn(program); program.end_loop(); })
        .def("commit_from", &Program::commit_from, nb::arg("index"), "Calls from this one on are never interrupted.")
        .def("run", run, nb::arg("buffers"), nb::arg("start") = 0, nb::arg("stop") = nb::none(), nb::arg("times") = 1,
             nb::arg("moving") = 0,
             "Run the calls [start, stop) with buffers[i] as slot i + 1; None where none of them uses it. All of it so "
             "many times; the slot `moving`, whose buffer is as many times as long, goes on by its size each time.")
        .def("__len__", &Program::size)
        .def_prop_ro("arena", [](nb::handle self) { return nb::steal(PyMemoryView_FromObject(self.ptr())); },
                     "The arena as a writable buffer.");
}
