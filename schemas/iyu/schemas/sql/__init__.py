"""Tables, views and migrations, and how to connect to them."""
