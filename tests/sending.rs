//! Issues to many readers from real processes: killed, frozen, one of two, with sites that stall, and at a given rate.

mod house;
mod kill;
mod pace;
mod stall;
