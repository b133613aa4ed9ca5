"""Behind every door of a server: sessions that are opened, booked and kept, whoever asked for them."""
