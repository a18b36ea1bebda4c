#[path = "/tmp/w/eng/data.rs"]
pub mod data;
pub mod gradients;
pub mod layers;
pub mod models;
pub mod seed;
pub mod signature;
pub mod stats {
    #[path = "/work/main/src/stats/history_view.rs"]
    pub mod history_view;
}
