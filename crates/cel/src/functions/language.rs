//! The operators and functions of the language itself.
//! <https://github.com/google/cel-go/blob/master/common/stdlib/standard.go>

use super::{Function, Overload, global, guarded, method, own};
use crate::types::Sig::{self, Bool, Bytes, Double, Duration, Dyn, Int, Text, Timestamp, Uint};
use crate::{convert, operators};

const A: Sig = Sig::Param("A");
const B: Sig = Sig::Param("B");
const LIST: Sig = Sig::List(&A);
const MAP: Sig = Sig::Map(&A, &B);
const V: Sig = Sig::Param("V");
const K: Sig = Sig::Param("K");
const OPTIONAL: Sig = Sig::Optional(&V);
const LIST_V: Sig = Sig::List(&V);
const MAP_KV: Sig = Sig::Map(&K, &V);

/// Overloads of an ordering: each type with itself, and numbers with one another.
macro_rules! ordering {
    ($name:literal, $word:literal, $call:expr) => {
        own(
            $name,
            &[
                global(concat!($word, "_bool"), &[Bool, Bool], Bool, 0, $call),
                global(concat!($word, "_int64"), &[Int, Int], Bool, 0, $call),
                global(
                    concat!($word, "_int64_double"),
                    &[Int, Double],
                    Bool,
                    0,
                    $call,
                ),
                global(
                    concat!($word, "_int64_uint64"),
                    &[Int, Uint],
                    Bool,
                    0,
                    $call,
                ),
                global(concat!($word, "_uint64"), &[Uint, Uint], Bool, 0, $call),
                global(
                    concat!($word, "_uint64_double"),
                    &[Uint, Double],
                    Bool,
                    0,
                    $call,
                ),
                global(
                    concat!($word, "_uint64_int64"),
                    &[Uint, Int],
                    Bool,
                    0,
                    $call,
                ),
                global(concat!($word, "_double"), &[Double, Double], Bool, 0, $call),
                global(
                    concat!($word, "_double_int64"),
                    &[Double, Int],
                    Bool,
                    0,
                    $call,
                ),
                global(
                    concat!($word, "_double_uint64"),
                    &[Double, Uint],
                    Bool,
                    0,
                    $call,
                ),
                global(concat!($word, "_string"), &[Text, Text], Bool, 0, $call),
                global(concat!($word, "_bytes"), &[Bytes, Bytes], Bool, 0, $call),
                global(
                    concat!($word, "_timestamp"),
                    &[Timestamp, Timestamp],
                    Bool,
                    0,
                    $call,
                ),
                global(
                    concat!($word, "_duration"),
                    &[Duration, Duration],
                    Bool,
                    0,
                    $call,
                ),
            ],
        )
    };
}

/// `_?_:_`, `_&&_`, `_||_`, `_==_`, `_!=_` and `_[_]` are evaluated by themselves: here they have types only.
const fn typed(id: &'static str, takes: &'static [Sig], gives: Sig, since: u32) -> Overload {
    global(id, takes, gives, since, operators::no_call)
}

/// The functions of the language.
pub const TABLE: &[Function] = &[
    own("_?_:_", &[typed("conditional", &[Bool, A, A], A, 0)]),
    own("_&&_", &[typed("logical_and", &[Bool, Bool], Bool, 0)]),
    own("_||_", &[typed("logical_or", &[Bool, Bool], Bool, 0)]),
    own("_==_", &[typed("equals", &[A, A], Bool, 0)]),
    own("_!=_", &[typed("not_equals", &[A, A], Bool, 0)]),
    own(
        "_[_]",
        &[
            typed("index_list", &[LIST, Int], A, 0),
            typed("index_map", &[MAP, A], B, 0),
            typed(
                "optional_list_index_int",
                &[Sig::Optional(&LIST_V), Int],
                OPTIONAL,
                28,
            ),
            typed(
                "optional_map_index_value",
                &[Sig::Optional(&MAP_KV), K],
                OPTIONAL,
                28,
            ),
        ],
    ),
    own(
        "_[?_]",
        &[
            typed("list_optindex_optional_int", &[LIST_V, Int], OPTIONAL, 28),
            typed(
                "optional_list_optindex_optional_int",
                &[Sig::Optional(&LIST_V), Int],
                OPTIONAL,
                28,
            ),
            typed("map_optindex_optional_value", &[MAP_KV, K], OPTIONAL, 28),
            typed(
                "optional_map_optindex_optional_value",
                &[Sig::Optional(&MAP_KV), K],
                OPTIONAL,
                28,
            ),
        ],
    ),
    own(
        "!_",
        &[global("logical_not", &[Bool], Bool, 0, operators::not)],
    ),
    own(
        "@not_strictly_false",
        &[global(
            "not_strictly_false",
            &[Bool],
            Bool,
            0,
            operators::no_call,
        )],
    ),
    own(
        "_+_",
        &[
            global("add_bytes", &[Bytes, Bytes], Bytes, 0, operators::add),
            global("add_double", &[Double, Double], Double, 0, operators::add),
            global(
                "add_duration_duration",
                &[Duration, Duration],
                Duration,
                0,
                operators::add,
            ),
            global(
                "add_duration_timestamp",
                &[Duration, Timestamp],
                Timestamp,
                0,
                operators::add,
            ),
            global(
                "add_timestamp_duration",
                &[Timestamp, Duration],
                Timestamp,
                0,
                operators::add,
            ),
            global("add_int64", &[Int, Int], Int, 0, operators::add),
            global("add_list", &[LIST, LIST], LIST, 0, operators::add),
            global("add_string", &[Text, Text], Text, 0, operators::add),
            global("add_uint64", &[Uint, Uint], Uint, 0, operators::add),
        ],
    ),
    own(
        "_-_",
        &[
            global(
                "subtract_double",
                &[Double, Double],
                Double,
                0,
                operators::subtract,
            ),
            global(
                "subtract_duration_duration",
                &[Duration, Duration],
                Duration,
                0,
                operators::subtract,
            ),
            global("subtract_int64", &[Int, Int], Int, 0, operators::subtract),
            global(
                "subtract_timestamp_duration",
                &[Timestamp, Duration],
                Timestamp,
                0,
                operators::subtract,
            ),
            global(
                "subtract_timestamp_timestamp",
                &[Timestamp, Timestamp],
                Duration,
                0,
                operators::subtract,
            ),
            global(
                "subtract_uint64",
                &[Uint, Uint],
                Uint,
                0,
                operators::subtract,
            ),
        ],
    ),
    own(
        "_*_",
        &[
            global(
                "multiply_double",
                &[Double, Double],
                Double,
                0,
                operators::multiply,
            ),
            global("multiply_int64", &[Int, Int], Int, 0, operators::multiply),
            global(
                "multiply_uint64",
                &[Uint, Uint],
                Uint,
                0,
                operators::multiply,
            ),
        ],
    ),
    own(
        "_/_",
        &[
            global(
                "divide_double",
                &[Double, Double],
                Double,
                0,
                operators::divide,
            ),
            global("divide_int64", &[Int, Int], Int, 0, operators::divide),
            global("divide_uint64", &[Uint, Uint], Uint, 0, operators::divide),
        ],
    ),
    own(
        "_%_",
        &[
            global("modulo_int64", &[Int, Int], Int, 0, operators::remainder),
            global(
                "modulo_uint64",
                &[Uint, Uint],
                Uint,
                0,
                operators::remainder,
            ),
        ],
    ),
    own(
        "-_",
        &[
            global("negate_double", &[Double], Double, 0, operators::negate),
            global("negate_int64", &[Int], Int, 0, operators::negate),
        ],
    ),
    ordering!("_<_", "less", operators::less),
    ordering!("_<=_", "less_equals", operators::at_most),
    ordering!("_>_", "greater", operators::greater),
    ordering!("_>=_", "greater_equals", operators::at_least),
    own(
        "@in",
        &[
            global("in_list", &[A, LIST], Bool, 0, operators::contained),
            global("in_map", &[A, MAP], Bool, 0, operators::contained),
        ],
    ),
    own(
        "size",
        &[
            global("size_bytes", &[Bytes], Int, 0, operators::size),
            method("bytes_size", &[Bytes], Int, 0, operators::size),
            global("size_list", &[LIST], Int, 0, operators::size),
            method("list_size", &[LIST], Int, 0, operators::size),
            global("size_map", &[MAP], Int, 0, operators::size),
            method("map_size", &[MAP], Int, 0, operators::size),
            global("size_string", &[Text], Int, 0, operators::size),
            method("string_size", &[Text], Int, 0, operators::size),
        ],
    ),
    own(
        "type",
        &[global("type", &[A], Sig::Type(&A), 0, operators::type_of)],
    ),
    own("dyn", &[global("to_dyn", &[A], Dyn, 0, convert::same)]),
    guarded(
        "bool",
        &[
            global("bool_to_bool", &[Bool], Bool, 0, convert::same),
            global("string_to_bool", &[Text], Bool, 0, convert::to_bool),
        ],
    ),
    guarded(
        "bytes",
        &[
            global("bytes_to_bytes", &[Bytes], Bytes, 0, convert::same),
            global("string_to_bytes", &[Text], Bytes, 0, convert::to_bytes),
        ],
    ),
    guarded(
        "double",
        &[
            global("double_to_double", &[Double], Double, 0, convert::same),
            global("int64_to_double", &[Int], Double, 0, convert::to_double),
            global("string_to_double", &[Text], Double, 0, convert::to_double),
            global("uint64_to_double", &[Uint], Double, 0, convert::to_double),
        ],
    ),
    guarded(
        "duration",
        &[
            global(
                "duration_to_duration",
                &[Duration],
                Duration,
                0,
                convert::same,
            ),
            global(
                "string_to_duration",
                &[Text],
                Duration,
                0,
                convert::to_duration,
            ),
        ],
    ),
    guarded(
        "int",
        &[
            global("int64_to_int64", &[Int], Int, 0, convert::same),
            global("double_to_int64", &[Double], Int, 0, convert::to_int),
            global("duration_to_int64", &[Duration], Int, 0, convert::to_int),
            global("string_to_int64", &[Text], Int, 0, convert::to_int),
            global("timestamp_to_int64", &[Timestamp], Int, 0, convert::to_int),
            global("uint64_to_int64", &[Uint], Int, 0, convert::to_int),
        ],
    ),
    guarded(
        "string",
        &[
            global("string_to_string", &[Text], Text, 0, convert::same),
            global("bool_to_string", &[Bool], Text, 0, convert::to_string),
            global("bytes_to_string", &[Bytes], Text, 0, convert::to_string),
            global("double_to_string", &[Double], Text, 0, convert::to_string),
            global(
                "duration_to_string",
                &[Duration],
                Text,
                0,
                convert::to_string,
            ),
            global("int64_to_string", &[Int], Text, 0, convert::to_string),
            global(
                "timestamp_to_string",
                &[Timestamp],
                Text,
                0,
                convert::to_string,
            ),
            global("uint64_to_string", &[Uint], Text, 0, convert::to_string),
        ],
    ),
    guarded(
        "timestamp",
        &[
            global(
                "timestamp_to_timestamp",
                &[Timestamp],
                Timestamp,
                0,
                convert::same,
            ),
            global(
                "int64_to_timestamp",
                &[Int],
                Timestamp,
                0,
                convert::to_timestamp,
            ),
            global(
                "string_to_timestamp",
                &[Text],
                Timestamp,
                0,
                convert::to_timestamp,
            ),
        ],
    ),
    guarded(
        "uint",
        &[
            global("uint64_to_uint64", &[Uint], Uint, 0, convert::same),
            global("double_to_uint64", &[Double], Uint, 0, convert::to_uint),
            global("int64_to_uint64", &[Int], Uint, 0, convert::to_uint),
            global("string_to_uint64", &[Text], Uint, 0, convert::to_uint),
        ],
    ),
];
