"""How people steer a rotation: its window, its approval, its cancellation."""
