"""What the operator tells of itself: metrics, traces, health."""
