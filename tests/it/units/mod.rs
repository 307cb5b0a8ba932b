//! Parts of the library by themselves; those that are private have their tests beside them.

mod emit_header;
mod model_placeholder;
mod model_recovery;
mod model_scalars;
mod model_schedule;
mod model_secrets;
mod model_timetable;
mod review_lists;
mod yaml_merge;
mod yaml_scalar;
